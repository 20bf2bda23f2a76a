#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/table.h"
#include "core/model/names.h"

namespace reprise::cli {
namespace {

// The rung that the application stands on; nullptr: none holds.
const ops::RungView* EvidenceOf(const ops::ApplicationView& application) {
  for (const auto& rung : application.rungs()) {
    if (rung.stage() == application.stage()) return &rung;
  }
  return nullptr;
}

absl::StatusOr<int> Run(Context& context) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(const auto board, client->Call<ops::BoardView>("GetBoard", ops::Empty()));
  if (context.json()) {
    context.PrintJson(board);
    return kExitOk;
  }
  if (board.applications().empty()) {
    context.Say("no application yet: no adapter has said anything of a stage");
    return kExitOk;
  }
  Table table({"APPLICATION", "STAGE", "SINCE", "HOST", "EVIDENCE"});
  for (const auto& application : board.applications()) {
    const ops::RungView* rung = EvidenceOf(application);
    if (rung == nullptr) {
      table.Add({application.name(), model::NameOf(application.stage()), "-", "-", "nothing is proven"});
      continue;
    }
    table.Add({application.name(), model::NameOf(application.stage()), context.Ago(rung->at_ms()), rung->host(),
               absl::StrCat(rung->detail(), " (run ", rung->run(), ")")});
  }
  table.Print(context.terminal, context.cut());
  return kExitOk;
}

}  // namespace

Action DeclareBoard(CommandLine& app) {
  app.Footer(
      "An application stands on the highest stage below which every stage is proven by a probe: data_found, data_ok,\n"
      "restored, in_test, degraded_no_interface, interfaced, nominal.\n\n"
      "Examples:\n"
      "  reprise board\n"
      "  reprise board -o json | jq -r '.applications[] | [.name, .stage] | @tsv'");
  return [](Context& context) { return Run(context); };
}

}  // namespace reprise::cli
