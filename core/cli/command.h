// One command of `reprise`: a row of the table in commands/commands.cc, and a file that says its help and flags, calls,
// and prints.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "core/cli/command_line.h"
#include "core/cli/context.h"
#include "core/cli/exit_codes.h"

namespace reprise::cli {

// Does it. Gives an exit code, or what went wrong.
using Action = std::function<absl::StatusOr<int>(Context& context)>;

struct CommandRow {
  const char* group;    // "run"; empty: the command stands by itself.
  const char* name;     // "start"
  const char* summary;  // One line.
  // Declares flags and examples (as the footer), gives what to do once they are read.
  Action (*declare)(CommandLine& app);
};

}  // namespace reprise::cli
