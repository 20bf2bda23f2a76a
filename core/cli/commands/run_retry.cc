#include "core/cli/commands/declarations.h"
#include "core/cli/commands/run_control.h"

namespace reprise::cli {

Action DeclareRunRetry(CommandLine& app) {
  auto run = std::make_shared<uint64_t>(0);
  app.Option("RUN", *run, "The run's number").Required();
  app.Footer(
      "Hosts that succeeded are left alone; hosts skipped because of a failure that is tried again come along.\n\n"
      "Examples:\n"
      "  reprise run retry 7 && reprise run watch 7");
  return [run](Context& context) { return ControlRun(context, "RetryRun", *run, ""); };
}

}  // namespace reprise::cli
