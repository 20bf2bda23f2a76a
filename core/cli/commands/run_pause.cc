#include "core/cli/commands/declarations.h"
#include "core/cli/commands/run_control.h"

namespace reprise::cli {
namespace {

struct RunPauseFlags {
  uint64_t run = 0;
  std::string reason;
};

}  // namespace

Action DeclareRunPause(CommandLine& app) {
  auto flags = std::make_shared<RunPauseFlags>();
  app.Option("RUN", flags->run, "The run's number").Required();
  app.Option("--reason", flags->reason, "Why; it stands in the journal").Required().TypeName("TEXT");
  app.Footer(
      "What is at work on hosts goes on to its end; `reprise stop raise` kills it.\n\n"
      "Examples:\n"
      "  reprise run pause 7 --reason \"the laboratory needs its workstations until noon\"");
  return [flags](Context& context) { return ControlRun(context, "PauseRun", flags->run, flags->reason); };
}

}  // namespace reprise::cli
