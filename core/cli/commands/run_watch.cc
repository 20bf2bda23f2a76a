#include "core/cli/commands/declarations.h"
#include "core/cli/commands/run_watcher.h"

namespace reprise::cli {

Action DeclareRunWatch(CommandLine& app) {
  auto run = std::make_shared<uint64_t>(0);
  app.Option("RUN", *run, "The run's number").Required();
  app.Footer(
      "Ends when the run ends: exit code 0 succeeded, 6 partial, 1 failed or aborted; 7 when --timeout came first.\n"
      "Ending the watch does nothing to the run.\n\n"
      "Examples:\n"
      "  reprise run watch 7\n"
      "  reprise run watch 7 --timeout 2h && reprise report run 7 --lang fr\n"
      "  reprise run watch 7 -o json | jq -c '.counts'");
  return [run](Context& context) { return WatchRun(context, *run); };
}

}  // namespace reprise::cli
