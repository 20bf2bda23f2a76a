// What pausing, resuming, aborting and retrying a run have in common: one call, and how the run then stands.
#pragma once

#include <string>

#include "core/cli/context.h"

namespace reprise::cli {

absl::StatusOr<ops::RunView> FetchRun(Context& context, uint64_t run);
// Calls `method` and prints the run. Exit code 0.
absl::StatusOr<int> ControlRun(Context& context, const std::string& method, uint64_t run, const std::string& reason);

}  // namespace reprise::cli
