#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/table.h"
#include "core/model/names.h"

namespace reprise::cli {
namespace {

Cell StopCell(Context& context, const ops::StatusView& view) {
  if (!view.has_stop() || !view.stop().active()) return {"none", Color::kGood};
  return {absl::StrCat("STOPPED by ", view.stop().by(), " ", context.Ago(view.stop().raised_ms()), ": ",
                       view.stop().reason()),
          Color::kBad};
}

Cell AheadCell(const ops::StatusView& view) {
  const uint32_t hosts = view.hosts_ahead();
  return {absl::StrCat(hosts, hosts == 1 ? " host knows" : " hosts know",
                       " more than this coordinator: it was restored from an older copy (", view.ahead_example(),
                       "). See docs/OPERATIONS.md, section 11"),
          Color::kBad};
}

Cell JoinCell(const ops::StatusView& view) {
  if (view.join_until_ms() <= view.now_ms()) return "closed";
  return {absl::StrCat("open until ", FormatTime(view.join_until_ms())), Color::kWarning};
}

absl::StatusOr<int> RunStatus(Context& context) {
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(const auto view, client->Call<ops::StatusView>("GetStatus", ops::Empty()));
  const bool strange =
      !profile->keyring_fingerprint.empty() && profile->keyring_fingerprint != view.keyring_fingerprint();
  if (strange) {
    context.Note(absl::StrCat("The keyring is not the one of your profile (", profile->keyring_fingerprint,
                              "). Sign nothing; compare with the fingerprint on paper"));
  }
  if (context.json()) {
    context.PrintJson(view);
    return strange ? kExitRefused : kExitOk;
  }
  std::set<std::string> roles;
  for (const int role : view.roles()) roles.insert(model::NameOf(static_cast<model::v1::Role>(role)));
  Table table({"coordinator", absl::StrCat(profile->coordinator, ", version ", view.version())});
  table.Add({"you", absl::StrCat(view.you(), roles.empty() ? ", not in the keyring"
                                                           : absl::StrCat(" (", absl::StrJoin(roles, ", "), ")"))});
  table.Add({"emergency stop", StopCell(context, view)});
  table.Add({"hosts", absl::StrCat(view.hosts(), ", ", view.agents_connected(), " connected")});
  if (view.hosts_ahead() > 0) table.Add({"restored", AheadCell(view)});
  table.Add({"runs at work", absl::StrCat(view.runs_active())});
  table.Add({"join window", JoinCell(view)});
  table.Add({"keyring", Cell(absl::StrCat("version ", view.keyring_version(), ", pinned ", view.keyring_fingerprint()),
                             strange ? Color::kBad : Color::kNone)});
  table.Add({"authority", view.ca_fingerprint()});
  table.Add({"journal", absl::StrCat(view.journal_events(), " events, head ", view.journal_head())});
  table.Print(context.terminal, context.cut());
  return strange ? kExitRefused : kExitOk;
}

}  // namespace

Action DeclareStatus(CommandLine& app) {
  app.Footer(
      "Examples:\n"
      "  reprise status\n"
      "  reprise -o json status | jq -r .journal_head     what is written on paper every evening");
  return RunStatus;
}

}  // namespace reprise::cli
