// Why a content does not decode: encrypted wholly, in part, or otherwise damaged. Reads what decoders found broken once
// more, and asks its statistics. Where they cannot tell, damage stays plain damage.
#pragma once

#include <vector>

#include "plugins/backup/judge/finding.h"
#include "plugins/backup/judge/source.h"
#include "plugins/backup/judge/statistics.h"

namespace reprise::backup {

// What is known of a broken content before it is surveyed.
struct Broken {
  bool dense = false;  // Sound content of its format looks random too.
  bool text = false;
  bool magic_lost = false;  // Not even its first bytes are those of its format.
};

// The sign that a damage really is: kEncrypted, kEncryptedPart or kDamaged. `at`: how the first damaged window looks.
Sign Explain(const Broken& broken, const Survey& survey, Look at);

// Does so for the damage among `findings`. REQUIRES: the source is Random().
void ExplainFindings(const Broken& broken, Source& source, std::vector<Finding>& findings);

}  // namespace reprise::backup
