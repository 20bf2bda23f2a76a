#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/host_choice.h"
#include "core/model/names.h"
#include "core/trust/join_code.h"

namespace reprise::cli {
namespace {

struct HostTokenFlags {
  HostChoice choice;
  int64_t ttl_ms = 0;
  bool sheet = false;
};

// One part of a sheet: what is cut off and carried to one host. The code is broken where a shell joins it again, so
// that no line runs over the edge of the paper.
std::string Slip(const Profile& profile, const ops::HostView& host, const ops::IssuedToken& token) {
  const std::string code = absl::StrJoin(absl::StrSplit(token.join_code(), ':'), ":\\\n");
  return absl::StrCat(std::string(76, '-'), "\n", "Host         ", host.name(), "  (",
                      model::NameOf(host.asset_class()), host.address().empty() ? "" : ", ", host.address(), ")\n",
                      "Valid until  ", FormatTime(token.expires_ms()), ", for this host, once\n", "On the host:\n\n",
                      "reprise-agent join --coordinator ", profile.join, " --code \\\n", code, "\n\n",
                      "Done by      ____________________    at ____________________\n");
}

absl::StatusOr<int> Run(Context& context, const HostTokenFlags& flags) {
  if (flags.ttl_ms != 0) {
    const auto life = trust::TokenLife(flags.ttl_ms);
    if (!life.ok()) return UsageError(absl::StrCat("--ttl: ", std::string(life.status().message())));
  }
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  ASSIGN_OR_RETURN(const auto hosts, Choose(context, flags.choice));
  ASSIGN_OR_RETURN(Client* client, context.client());
  std::map<std::string, const ops::HostView*> by_name;
  ops::IssueTokensRequest request;
  request.set_ttl_ms(flags.ttl_ms);
  for (const auto& host : hosts) {
    if (!host.agent_expected()) {
      return absl::FailedPreconditionError(
          absl::StrCat(host.name(), " can carry no agent, says the inventory; nothing was issued"));
    }
    request.add_hosts(host.name());
    by_name[host.name()] = &host;
  }
  ASSIGN_OR_RETURN(const auto issued, client->Call<ops::IssueTokensResponse>("IssueTokens", request));
  context.Note(absl::StrCat("the join window is open until ", FormatTime(issued.join_until_ms()),
                            "; each code lets its host in once, into quarantine. Keep them as you keep keys"));
  if (context.json()) {
    context.PrintJson(issued);
    return kExitOk;
  }
  for (const auto& token : issued.tokens()) {
    const auto host = by_name.find(token.host());
    if (host == by_name.end()) return absl::DataLossError(absl::StrCat("a code came for ", token.host(), ", unasked"));
    context.Say(flags.sheet ? Slip(*profile, *host->second, token) : token.join_code());
  }
  if (!flags.sheet) {
    context.Note(absl::StrCat("on each host: reprise-agent join --coordinator ",
                              profile->join.empty() ? "ADDRESS" : profile->join, " --code CODE"));
  }
  return kExitOk;
}

}  // namespace

Action DeclareHostToken(CommandLine& app) {
  auto flags = std::make_shared<HostTokenFlags>();
  flags->choice.Declare(app);
  app.Flag("--all-missing", flags->choice.all_missing,
               "Every host of the inventory that may carry an agent and has none");
  app.Duration("--ttl", flags->ttl_ms, "How long the codes may be used (1h; at most 7d)");
  app.Flag("--sheet", flags->sheet, "A sheet to print and cut, one part for each host");
  app.Footer(
      "The codes go to standard output, one a line, and nothing else does. Takes an admin.\n\n"
      "Examples:\n"
      "  reprise host token ws-001\n"
      "  reprise host token --selector \"labels.floor == 3\" --ttl 8h --sheet | lp\n"
      "  reprise host token --all-missing -o json > codes.json");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
