#include <memory>
#include <ostream>

#include "core/cli/commands/commands.h"
#include "core/cli/commands/completion_script.h"
#include "core/cli/commands/declarations.h"

namespace reprise::cli {

Action DeclareCompletion(CommandLine& app) {
  auto shell = std::make_shared<std::string>("bash");
  app.Option("SHELL", *shell, "bash").OneOf({"bash"});
  app.Footer(
      "Examples:\n"
      "  source <(reprise completion bash)\n"
      "  reprise completion bash > /etc/bash_completion.d/reprise");
  return [shell](Context& context) -> absl::StatusOr<int> {
    GlobalFlags unused;
    context.terminal.out() << BashCompletion(*Declare(Groups(), Commands(), unused).app);
    return kExitOk;
  };
}

}  // namespace reprise::cli
