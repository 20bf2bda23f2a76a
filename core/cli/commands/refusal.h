// What was refused here or by the coordinator for want of a decision or a signature must end in exit code 4, whatever
// the code of the check that found it (exit_codes.h).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace reprise::cli {

// PERMISSION_DENIED with the same words, where the code speaks of what was asked and not of the way there.
inline absl::Status AsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
      return absl::PermissionDeniedError(status.message());
    default:
      return status;
  }
}

}  // namespace reprise::cli
