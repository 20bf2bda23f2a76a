#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/run_view.h"

namespace reprise::cli {
namespace {

absl::StatusOr<int> RunRunLs(Context& context, bool active) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::ListRunsRequest request;
  request.set_active_only(active);
  ASSIGN_OR_RETURN(const auto list, client->Call<ops::RunList>("ListRuns", request));
  if (context.json()) {
    context.PrintJson(list);
    return kExitOk;
  }
  if (list.runs().empty()) {
    context.Say(active ? "no run is going on" : "no run was started yet; `reprise run start PLAN` does");
    return kExitOk;
  }
  Table table({"RUN", "WORKFLOW", "STATE", "STARTED", "BY", "PLAN", "HOSTS"});
  for (const auto& run : list.runs()) {
    table.Add({absl::StrCat(run.id()), absl::StrCat(run.workflow(), run.exercise() ? " (exercise)" : ""),
               StateCell(run.state()), FormatTime(run.started_ms()), run.started_by(), run.plan_id(),
               CountsText(run.counts())});
  }
  table.Print(context.terminal, context.cut());
  return kExitOk;
}

}  // namespace

Action DeclareRunLs(CommandLine& app) {
  auto active = std::make_shared<bool>(false);
  app.Flag("--active", *active, "Only those that go on");
  app.Footer(
      "Examples:\n"
      "  reprise run ls\n"
      "  reprise run ls --active -o json | jq '.runs[].id'");
  return [active](Context& context) { return RunRunLs(context, *active); };
}

}  // namespace reprise::cli
