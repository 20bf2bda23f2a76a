// What the shell is told. Scripts rely on these: they never change their meaning (docs/OPERATIONS.md).
#pragma once

#include <string>

#include "absl/status/status.h"

namespace reprise::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,
  kExitUsage = 2,
  kExitChangesPending = 3,   // A plan has something to do.
  kExitRefused = 4,          // A gate, a signature, a permission.
  kExitUnreachable = 5,      // The coordinator.
  kExitPartial = 6,          // Some of what was asked came through, not all.
  kExitTimeout = 7,
};

int ExitCodeOf(const absl::Status& status);

// INVALID_ARGUMENT that the person who typed the command can mend: exit code 2.
absl::Status UsageError(std::string message);

}  // namespace reprise::cli
