// The files of the system against what they should be: packages' files by their sums, and what no package brought.
#pragma once

#include "plugins/sanitize/examination.h"

namespace reprise::sanitize {

// Kinds: altered_file, missing_file. Changed configuration is a note, unless it lies where things are started from.
void ComparePackagedFiles(Examination& on);
// Goes through the whole tree once. Kinds: unowned_file, suid, capabilities, hidden_program.
void WalkTree(Examination& on);

// Configuration files that start things, so that a change in them counts: cron, PAM, profiles, units, udev, …
bool StartsThings(const std::string& path);
// By its first bytes or its name: a program, a library, a script.
bool IsCode(const std::string& path, mode_t mode, const std::string& head);

}  // namespace reprise::sanitize
