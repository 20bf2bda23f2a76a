#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/host_statement.h"
#include "core/cli/exit_codes.h"

namespace reprise::cli {
namespace {

struct HostZoneFlags {
  HostChoice choice;  // Its last name is the zone.
};

absl::StatusOr<int> Run(Context& context, const HostZoneFlags& flags) {
  HostChoice choice = flags.choice;
  if (choice.names.empty()) return UsageError("into which zone? `reprise host zone HOST… ZONE`");
  const std::string word = choice.names.back();
  choice.names.pop_back();
  ASSIGN_OR_RETURN(const model::v1::Zone zone, ReadZone(word));
  return StateHosts(
      context, choice,
      {absl::StrCat("Move $0 into zone ", word, "?"), absl::StrCat("$0 moved into zone ", word),
       [&](const ops::HostView& host, model::HostStatement& statement) -> absl::Status {
         if (!host.admitted()) {
           return absl::FailedPreconditionError(absl::StrCat(host.name(), " is not admitted yet: `reprise host admit ",
                                                             host.name(), " --zone ", word, "`"));
         }
         statement.zone = zone;
         return absl::OkStatus();
       }});
}

}  // namespace

Action DeclareHostZone(CommandLine& app) {
  auto flags = std::make_shared<HostZoneFlags>();
  flags->choice.Declare(app);
  app.Find("HOST").About("Hosts by name, and last the zone");
  app.Footer(
      "Plans compiled before say where each host stood: they are refused where that has changed. Signed with your "
      "key;\n"
      "takes an admin.\n\n"
      "Examples:\n"
      "  reprise host zone ws-001 ws-002 rebuilt\n"
      "  reprise host zone --selector \"labels.floor == 3\" rebuilt");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
