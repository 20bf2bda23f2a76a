#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/run_view.h"

namespace reprise::cli {
namespace {

bool IsOpen(const ops::GateView& gate) {
  return gate.state() == model::v1::GATE_STATE_PASSED || gate.state() == model::v1::GATE_STATE_WAIVED;
}

absl::StatusOr<int> RunGateLs(Context& context, bool all) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::ListRunsRequest request;
  request.set_active_only(!all);
  ASSIGN_OR_RETURN(auto list, client->Call<ops::GateList>("ListGates", request));
  if (!all) {
    auto& gates = *list.mutable_gates();
    gates.erase(std::remove_if(gates.begin(), gates.end(), IsOpen), gates.end());
    // What people can decide now stands first.
    std::stable_partition(gates.begin(), gates.end(),
                          [](const auto& gate) { return gate.state() == model::v1::GATE_STATE_READY; });
  }
  if (context.json()) {
    context.PrintJson(list);
    return kExitOk;
  }
  if (list.gates().empty()) {
    context.Say(all ? "no run has a gate" : "no run waits for a decision");
    return kExitOk;
  }
  Table table({"RUN", "GATE", "STAGE", "STATE", "SIGNED", "APPROVERS", "QUESTION"});
  for (const auto& gate : list.gates()) {
    table.Add({absl::StrCat(gate.run()), gate.name(), gate.stage(), StateCell(gate.state()),
               absl::StrCat(gate.signers_size(), "/", gate.quorum(), gate.signers().empty() ? "" : " ",
                            absl::StrJoin(gate.signers(), ", ")),
               gate.approvers().empty() ? "any" : absl::StrJoin(gate.approvers(), ", "), gate.question()});
  }
  table.Print(context.terminal, context.cut());
  return kExitOk;
}

}  // namespace

Action DeclareGateLs(CommandLine& app) {
  auto all = std::make_shared<bool>(false);
  app.Flag("--all", *all, "Also gates that are open, and those of runs that ended");
  app.Footer(
      "Examples:\n"
      "  reprise gate ls\n"
      "  reprise gate ls --all -o json | jq '.gates[] | select(.state==\"waived\")'");
  return [all](Context& context) { return RunGateLs(context, *all); };
}

}  // namespace reprise::cli
