#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/host_statement.h"

namespace reprise::cli {
namespace {

struct HostAdmitFlags {
  HostChoice choice;
  std::string zone;
  std::string asset_class;
  std::string trust;
};

absl::StatusOr<int> Run(Context& context, const HostAdmitFlags& flags) {
  ASSIGN_OR_RETURN(const model::v1::Zone zone, ReadZone(flags.zone));
  const auto asset_class = model::FromName<model::v1::AssetClass>(flags.asset_class);
  const auto trust = model::FromName<model::v1::TrustState>(flags.trust);
  return StateHosts(
      context, flags.choice,
      {absl::StrCat("Admit $0 into zone ", flags.zone, "?"), absl::StrCat("$0 admitted into zone ", flags.zone),
       [&](const ops::HostView& host, model::HostStatement& statement) -> absl::Status {
         if (!host.agent_expected()) {
           return absl::FailedPreconditionError(absl::StrCat(
               host.name(), " carries no agent: there is nothing to admit. Leave it out, or mend the inventory"));
         }
         statement.zone = zone;
         if (asset_class) statement.asset_class = *asset_class;
         if (trust) statement.trust = *trust;
         return absl::OkStatus();
       }});
}

}  // namespace

Action DeclareHostAdmit(CommandLine& app) {
  auto flags = std::make_shared<HostAdmitFlags>();
  flags->choice.Declare(app);
  app.Option("--zone", flags->zone, "Where they stand: dirty, quarantine, bubble, rebuilt, …")
      .Required()
      .TypeName("ZONE");
  app.Option("--class", flags->asset_class, "Asset class, where the inventory is wrong")
      .OneOf(model::NamesOf<model::v1::AssetClass>())
      .TypeName("CLASS");
  app.Option("--trust", flags->trust, "Trust state; a host that joined is unknown until you say what it is")
      .OneOf(model::NamesOf<model::v1::TrustState>())
      .TypeName("TRUST");
  app.Footer(
      "Each statement is signed with your key, here; takes an admin. The host's agent checks it itself.\n\n"
      "Examples:\n"
      "  reprise host admit ws-001 ws-002 --zone dirty\n"
      "  reprise host admit --selector \"class == workstation and labels.site == nord\" --zone dirty\n"
      "  reprise host admit srv-lab-1 --zone bubble --trust rebuilt");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
