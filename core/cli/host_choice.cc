#include "core/cli/host_choice.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/exit_codes.h"
#include "core/plan/selector.h"

namespace reprise::cli {

void HostChoice::Declare(CommandLine& app) {
  app.Option("HOST", names, "Hosts by name");
  app.Option("--selector", selector, "Hosts by a selector, such as: class == workstation and labels.site == nord")
      .TypeName("SELECTOR");
}

absl::StatusOr<std::vector<ops::HostView>> Choose(Context& context, const HostChoice& choice) {
  if (choice.names.empty() && choice.selector.empty() && !choice.all_missing) {
    return UsageError("which hosts? Name them, or give --selector (`--selector all` means every host)");
  }
  if (!choice.names.empty() && (!choice.selector.empty() || choice.all_missing)) {
    return UsageError("name hosts or select them, not both");
  }
  if (const auto parsed = plan::Selector::Parse(choice.selector.empty() ? "all" : choice.selector); !parsed.ok()) {
    return UsageError(absl::StrCat("--selector: ", std::string(parsed.status().message())));
  }
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::ListHostsRequest request;
  request.set_selector(choice.selector);
  ASSIGN_OR_RETURN(const auto list, client->Call<ops::HostList>("ListHosts", request));
  std::vector<ops::HostView> chosen;
  if (choice.names.empty()) {
    for (const auto& host : list.hosts()) {
      // One that was expelled is let in again by name only.
      const bool missing =
          !host.enrolled() && host.expelled_ms() == 0 && host.agent_expected() && host.in_inventory();
      if (choice.all_missing && !missing) continue;
      chosen.push_back(host);
    }
    if (chosen.empty()) {
      return absl::NotFoundError(choice.all_missing ? "no host is missing: all that may carry an agent are enrolled"
                                                    : absl::StrCat("no host matches: ", choice.selector));
    }
    return chosen;
  }
  std::map<std::string, const ops::HostView*> by_name;
  std::vector<std::string> names;
  for (const auto& host : list.hosts()) {
    by_name[host.name()] = &host;
    names.push_back(host.name());
  }
  for (const std::string& name : choice.names) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      const std::string nearest = NearestName(name, names);
      return absl::NotFoundError(absl::StrCat("host ", name, " is not known",
                                              nearest.empty() ? "; `reprise host ls` lists them"
                                                              : absl::StrCat("; did you mean ", nearest, "?")));
    }
    chosen.push_back(*found->second);
  }
  return chosen;
}

}  // namespace reprise::cli
