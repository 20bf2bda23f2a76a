#include "core/cli/commands/declarations.h"
#include "core/cli/commands/gate_decision.h"

namespace reprise::cli {

Action DeclareGateApprove(CommandLine& app) {
  auto decision = std::make_shared<GateDecision>();
  app.Option("RUN", decision->run, "The run's number").Required();
  app.Option("GATE", decision->gate, "The gate's name").Required();
  app.Footer(
      "What you sign is bound to this run and to the very plan that people signed; the hosts check it themselves. Who\n"
      "asked for the plan never decides its gates. Exit code 4 when the decision does not count.\n\n"
      "Examples:\n"
      "  reprise gate ls\n"
      "  reprise gate approve 7 after-canary");
  return [decision](Context& context) { return DecideGate(context, *decision); };
}

}  // namespace reprise::cli
