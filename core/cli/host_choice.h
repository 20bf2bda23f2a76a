// Which hosts a command is about: names, or a selector over what the coordinator knows.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/cli/command_line.h"
#include "core/cli/context.h"

namespace reprise::cli {

struct HostChoice {
  std::vector<std::string> names;
  std::string selector;
  bool all_missing = false;  // Those that may carry an agent and are not enrolled.

  void Declare(CommandLine& app);
};

// Usage error when nothing, or both, were given; NOT_FOUND names the host that is not known, with the nearest.
absl::StatusOr<std::vector<ops::HostView>> Choose(Context& context, const HostChoice& choice);

}  // namespace reprise::cli
