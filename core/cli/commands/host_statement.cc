#include "core/cli/commands/host_statement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/exit_codes.h"
#include "core/cli/keyring_chain.h"
#include "core/cli/signing.h"
#include "core/cli/table.h"
#include "core/model/authorization.h"
#include "core/model/names.h"
#include "core/model/size_limits.h"

namespace reprise::cli {
namespace {

constexpr UnixMs kSecond = 1000;
constexpr size_t kShownMax = 20;

struct Planned {
  ops::HostView host;
  model::HostStatement statement;
};

bool IsSo(const ops::HostView& host, const model::HostStatement& statement) {
  return host.admitted() && host.zone() == statement.zone && host.asset_class() == statement.asset_class &&
         host.trust() == statement.trust && host.hold() == statement.hold;
}

std::string Moved(const std::string& from, const std::string& to) {
  return from == to ? to : absl::StrCat(from, " -> ", to);
}

void Show(Context& context, const std::vector<Planned>& planned) {
  Table table({"HOST", "ZONE", "CLASS", "TRUST", "HOLD"});
  for (size_t i = 0; i < planned.size() && (i < kShownMax || !context.cut()); ++i) {
    const auto& [host, statement] = planned[i];
    const std::string zone = host.admitted() ? model::NameOf(host.zone()) : "not admitted";
    table.Add({host.name(), Moved(zone, model::NameOf(statement.zone)),
               Moved(model::NameOf(host.asset_class()), model::NameOf(statement.asset_class)),
               Moved(model::NameOf(host.trust()), model::NameOf(statement.trust)),
               host.hold() == statement.hold ? statement.hold
                                             : Moved(host.hold().empty() ? "none" : host.hold(),
                                                     statement.hold.empty() ? "none" : statement.hold)});
  }
  table.Print(context.terminal, context.cut());
  if (planned.size() > kShownMax && context.cut()) {
    context.Say(absl::StrCat("… and ", planned.size() - kShownMax, " more (-o wide shows all)"));
  }
}

std::string Counted(size_t count) { return absl::StrCat(count, count == 1 ? " host" : " hosts"); }

// Before anybody is asked anything; what is signed is checked again.
absl::Status CheckAdmin(const model::Keyring& keyring, const std::string& name) {
  const model::Operator* me = keyring.Find(name);
  if (me != nullptr && me->active && me->Has(model::v1::ROLE_ADMIN)) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("statements about hosts take an active admin, which ", name, " is not"));
}

}  // namespace

model::HostStatement StatementAsIs(const ops::HostView& host, UnixMs now) {
  model::HostStatement statement;
  statement.host = host.name();
  // Beyond what its agent has seen, too: a coordinator restored from an older copy does not know it otherwise.
  statement.serial = std::max(host.statement_serial(), host.statement_serial_seen()) + 1;
  statement.zone = host.admitted() ? host.zone() : model::v1::ZONE_QUARANTINE;
  statement.asset_class = host.asset_class();
  statement.trust = host.trust() == model::v1::TRUST_STATE_UNSPECIFIED ? model::v1::TRUST_STATE_UNKNOWN : host.trust();
  statement.hold = host.hold();
  statement.issued = now / kSecond * kSecond;
  return statement;
}

absl::StatusOr<int> StateHosts(Context& context, const HostChoice& choice, const HostChange& change) {
  ASSIGN_OR_RETURN(const auto hosts, Choose(context, choice));
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  ASSIGN_OR_RETURN(Client* client, context.client());
  std::vector<Planned> planned;
  size_t already = 0;
  for (const ops::HostView& host : hosts) {
    model::HostStatement statement = StatementAsIs(host, context.clock.Now());
    RETURN_IF_ERROR(change.change(host, statement));
    RETURN_IF_ERROR(model::CheckReason(absl::StrCat("the reason to hold ", host.name()), statement.hold));
    if (IsSo(host, statement)) {
      already += 1;
    } else {
      planned.push_back({host, std::move(statement)});
    }
  }
  if (already > 0) context.Note(absl::StrCat(Counted(already), " already so; left alone"));
  ops::HostStatementsRequest request;
  if (!planned.empty()) {
    ASSIGN_OR_RETURN(const model::Keyring keyring, FetchKeyring(context));
    RETURN_IF_ERROR(CheckAdmin(keyring, profile->operator_name));
    if (!context.json()) Show(context, planned);
    RETURN_IF_ERROR(context.Confirm(absl::Substitute(change.question, Counted(planned.size()))));
    ASSIGN_OR_RETURN(const crypto::SecretKey key, LoadMySigningKey(context));
    for (const Planned& one : planned) {
      *request.add_statements() = SignStatement(context, key, profile->operator_name, one.statement.Write());
      RETURN_IF_ERROR(model::CheckHostStatement(keyring, *request.statements().rbegin()).status());
    }
    RETURN_IF_ERROR(client->Call<ops::Empty>("RecordHostStatements", request).status());
  }
  if (context.json()) {
    context.PrintJson(request);
  } else if (!planned.empty()) {
    context.Say(absl::Substitute(change.done, Counted(planned.size())));
  }
  return kExitOk;
}

absl::StatusOr<model::v1::Zone> ReadZone(const std::string& word) {
  if (const auto zone = model::FromName<model::v1::Zone>(word)) return *zone;
  const auto names = model::NamesOf<model::v1::Zone>();
  const std::string nearest = NearestName(word, names);
  return UsageError(absl::StrCat("\"", word, "\" is no zone",
                                 nearest.empty() ? absl::StrCat("; expected one of: ", absl::StrJoin(names, ", "))
                                                 : absl::StrCat("; did you mean ", nearest, "?")));
}

}  // namespace reprise::cli
