// Removes packages that a step had brought: those, and never anything that depends on them.
#pragma once

#include <vector>

#include "plugins/package/dpkg.h"
#include "plugins/package/installed_note.h"

namespace reprise::package {

// Takes the new ones away again, the last first, each back to what it was before: not there, or its configuration only.
// Returns their names. Throws Error "needed_by_others", "changed_since" (another version was installed since).
std::vector<std::string> TakeAway(const Dpkg& dpkg, const std::vector<Brought>& brought);

// The names in dpkg's " foo depends on bar" lines.
std::vector<std::string> DependentsIn(const sdk::RunResult& said);

}  // namespace reprise::package
