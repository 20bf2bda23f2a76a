#include "core/cli/commands/run_control.h"

#include "core/base/status_macros.h"
#include "core/cli/commands/run_view.h"

namespace reprise::cli {

absl::StatusOr<ops::RunView> FetchRun(Context& context, uint64_t run) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::GetRunRequest request;
  request.set_run(run);
  return client->Call<ops::RunView>("GetRun", request);
}

absl::StatusOr<int> ControlRun(Context& context, const std::string& method, uint64_t run, const std::string& reason) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::ControlRunRequest request;
  request.set_run(run);
  request.set_reason(reason);
  ASSIGN_OR_RETURN(const auto view, client->Call<ops::RunView>(method, request));
  if (context.json()) {
    context.PrintJson(view);
    return kExitOk;
  }
  PrintRunHead(context, view);
  PrintNext(context, view);
  return kExitOk;
}

}  // namespace reprise::cli
