#include "core/cli/commands/declarations.h"
#include "core/cli/commands/host_statement.h"

namespace reprise::cli {
namespace {

absl::StatusOr<int> RunHostRelease(Context& context, const HostChoice& choice) {
  return StateHosts(context, choice,
                    {"Release $0 from evidence hold? What is changed then cannot be evidence any more",
                     "$0 released from evidence hold",
                     [](const ops::HostView& host, model::HostStatement& statement) -> absl::Status {
                       // There is nothing to sign about a host that is on no hold.
                       if (host.hold().empty()) {
                         return absl::FailedPreconditionError(host.name() + " is not under evidence hold");
                       }
                       statement.hold.clear();
                       return absl::OkStatus();
                     }});
}

}  // namespace

Action DeclareHostRelease(CommandLine& app) {
  auto choice = std::make_shared<HostChoice>();
  choice->Declare(app);
  app.Footer(
      "Signed with your key; takes an admin.\n\n"
      "Examples:\n"
      "  reprise host release srv-dc-1");
  return [choice](Context& context) { return RunHostRelease(context, *choice); };
}

}  // namespace reprise::cli
