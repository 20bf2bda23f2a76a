#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/stop_view.h"

namespace reprise::cli {
namespace {

absl::StatusOr<int> RunStopShow(Context& context) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(const auto stop, client->Call<ops::StopView>("GetStop", ops::Empty()));
  if (context.json()) {
    context.PrintJson(stop);
  } else {
    PrintStop(context, stop);
  }
  return kExitOk;
}

}  // namespace

Action DeclareStopShow(CommandLine& app) {
  app.Footer(
      "Examples:\n"
      "  reprise stop show\n"
      "  reprise stop show -o json | jq '{asked, confirmed, latency_max_ms}'");
  return RunStopShow;
}

}  // namespace reprise::cli
