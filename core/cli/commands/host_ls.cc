#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/host_state.h"
#include "core/cli/exit_codes.h"
#include "core/model/names.h"
#include "core/plan/selector.h"

namespace reprise::cli {
namespace {

absl::StatusOr<int> RunHostLs(Context& context, const std::string& selector) {
  if (!selector.empty()) {
    if (const auto parsed = plan::Selector::Parse(selector); !parsed.ok()) {
      return UsageError(absl::StrCat("--selector: ", std::string(parsed.status().message())));
    }
  }
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::ListHostsRequest request;
  request.set_selector(selector);
  ASSIGN_OR_RETURN(const auto list, client->Call<ops::HostList>("ListHosts", request));
  if (context.json()) {
    context.PrintJson(list);
    return kExitOk;
  }
  if (list.hosts().empty()) {
    context.Say(selector.empty() ? "no host is known; `reprise inventory import DOSSIER` declares them"
                                 : absl::StrCat("no host matches: ", selector));
    return kExitOk;
  }
  Table table({"HOST", "ZONE", "CLASS", "TRUST", "STATE", "LAST CONTACT", "CLAIMS"});
  size_t connected = 0, admitted = 0, held = 0;
  for (const auto& host : list.hosts()) {
    connected += host.connected() ? 1 : 0;
    admitted += host.admitted() ? 1 : 0;
    held += host.hold().empty() ? 0 : 1;
    table.Add({host.name(), model::NameOf(host.zone()), model::NameOf(host.asset_class()), model::NameOf(host.trust()),
               HostStateCell(host), host.connected() ? "now" : context.Ago(host.last_contact_ms()), ClaimsCell(host)});
  }
  table.Print(context.terminal, context.cut());
  context.Say(absl::StrCat(list.hosts_size(), " hosts: ", connected, " connected, ", admitted, " admitted, ", held,
                           " under evidence hold"));
  return kExitOk;
}

}  // namespace

Action DeclareHostLs(CommandLine& app) {
  auto selector = std::make_shared<std::string>();
  app.Option("--selector", *selector, "Which hosts, such as: class == workstation and labels.site == nord")
      .TypeName("SELECTOR");
  app.Footer(
      "Examples:\n"
      "  reprise host ls\n"
      "  reprise host ls --selector \"zone == quarantine\"\n"
      "  reprise host ls -o json | jq -r '.hosts[] | select(.connected|not) | .name'");
  return [selector](Context& context) { return RunHostLs(context, *selector); };
}

}  // namespace reprise::cli
