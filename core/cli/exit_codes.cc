#include "core/cli/exit_codes.h"

#include <utility>

#include "absl/strings/cord.h"

namespace reprise::cli {
namespace {

constexpr char kUsage[] = "reprise/usage";

}  // namespace

absl::Status UsageError(std::string message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kUsage, absl::Cord("flags"));
  return status;
}

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return status.GetPayload(kUsage).has_value() ? kExitUsage : kExitFailure;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kExitRefused;
    case absl::StatusCode::kUnavailable:
      return kExitUnreachable;
    case absl::StatusCode::kDeadlineExceeded:
      return kExitTimeout;
    default:
      return kExitFailure;
  }
}

}  // namespace reprise::cli
