// What YARA's rules say of the code that nobody vouches for.
#pragma once

#include "plugins/sanitize/examination.h"

namespace reprise::sanitize {

// Kind yara. Scans what was flagged, code that no package owns, running programs that no package owns, and all below
// `yara_paths`; files of packages that are as their packages brought them are not scanned.
void HuntByRules(Examination& on);

}  // namespace reprise::sanitize
