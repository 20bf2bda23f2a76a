#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/stop_view.h"

namespace reprise::cli {
namespace {

absl::StatusOr<int> RunStopLift(Context& context) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  if (!context.flags.yes) {
    ASSIGN_OR_RETURN(const auto stop, client->Call<ops::StopView>("GetStop", ops::Empty()));
    if (stop.active()) {
      context.Note(
          absl::StrCat("raised ", FormatTime(stop.raised_ms()), " by ", stop.by(), ": ", OneLine(stop.reason())));
    }
    RETURN_IF_ERROR(context.Confirm("Let work begin again on every host?"));
  }
  ASSIGN_OR_RETURN(const auto lifted, client->Call<ops::StopView>("LiftStop", ops::StopRequest()));
  if (context.json()) {
    context.PrintJson(lifted);
    return kExitOk;
  }
  context.Say("the emergency stop is lifted");
  ops::ListRunsRequest active;
  active.set_active_only(true);
  const auto runs = client->Call<ops::RunList>("ListRuns", active);
  if (!runs.ok()) return kExitOk;
  for (const auto& run : runs->runs()) {
    if (run.state() != model::v1::RUN_STATE_PAUSED) continue;
    context.Say(absl::StrCat("next: run ", run.id(), " (", run.workflow(), ") stays paused: `reprise run resume ",
                             run.id(), "`"));
  }
  return kExitOk;
}

}  // namespace

Action DeclareStopLift(CommandLine& app) {
  app.Footer(
      "Runs stay paused until each is resumed. Takes an admin.\n\n"
      "Examples:\n"
      "  reprise stop lift");
  return RunStopLift;
}

}  // namespace reprise::cli
