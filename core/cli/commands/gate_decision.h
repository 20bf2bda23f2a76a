// One person's decision on one gate of one run ("reprise-gate/v1"): found, shown, checked here against the plan that
// people signed, signed with the person's key, and handed in.
#pragma once

#include <string>

#include "core/cli/context.h"

namespace reprise::cli {

struct GateDecision {
  uint64_t run = 0;
  std::string gate;
  bool waive = false;
  std::string reason;  // Of a waiver.
  UnixMs expires = 0;  // Of a waiver.
};

// Exit code 0 once it is recorded. PERMISSION_DENIED: it would not count, and was not sent; or the coordinator refused
// it.
absl::StatusOr<int> DecideGate(Context& context, const GateDecision& decision);

}  // namespace reprise::cli
