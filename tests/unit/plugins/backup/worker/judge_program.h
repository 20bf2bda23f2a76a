// The real child that judges, of this build.
#pragma once

#include <string>

#include "tests/support/files.h"

namespace reprise::backup {

inline std::string JudgeProgram() { return BuildFolder() / "bin/reprise-backup-judge"; }

}  // namespace reprise::backup
