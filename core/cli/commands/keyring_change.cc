#include "core/cli/commands/keyring_change.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/cli/exit_codes.h"
#include "core/cli/keyring_chain.h"
#include "core/cli/signing.h"

namespace reprise::cli {
namespace {

constexpr char kKind[] = "reprise-keyring/v1";

// Every version has others of these.
bool IsBookkeeping(const std::string& line) {
  return line.empty() || line == kKind || absl::StartsWith(line, "version: ") || absl::StartsWith(line, "previous: ") ||
         absl::StartsWith(line, "issued: ");
}

// It follows today's keyring and is legal but for the signatures that it still lacks.
absl::Status CheckFollows(const model::Keyring& keyring, const plan::v1::SignedStatement& next) {
  ASSIGN_OR_RETURN(const crypto::Statement statement, crypto::Statement::Parse(next.statement()));
  if (statement.kind() != kKind) {
    return absl::InvalidArgumentError(absl::StrCat("this is a ", statement.kind(), ", not a change of the keyring"));
  }
  model::Keyring trial = keyring;
  absl::Status status = trial.Extend(next);
  return absl::IsPermissionDenied(status) ? absl::OkStatus() : status;
}

absl::StatusOr<const model::Operator*> FindMyself(const model::Keyring& keyring, const std::string& me,
                                                  const crypto::SecretKey& key) {
  const model::Operator* person = keyring.Find(me);
  if (person == nullptr || !person->active || !person->Has(model::v1::ROLE_ADMIN)) {
    return absl::PermissionDeniedError(absl::StrCat("only an active admin of the keyring changes it, which ", me,
                                                    " is not; see `reprise key ls`"));
  }
  if (person->key.Bytes() != key.Public().Bytes()) {
    return absl::PermissionDeniedError(absl::StrCat("the signing key of this profile (", key.Public().KeyId(),
                                                    ") is not the one that the keyring has for ", me, " (",
                                                    person->key.KeyId(), ")"));
  }
  return person;
}

absl::StatusOr<std::vector<std::string>> AdminsWhoSigned(const model::Keyring& keyring,
                                                         const plan::v1::SignedStatement& next) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, keyring.Signers(next));
  std::erase_if(names, [&](const std::string& name) { return !keyring.Find(name)->Has(model::v1::ROLE_ADMIN); });
  return names;
}

}  // namespace

absl::StatusOr<SiteKeyring> FetchSiteKeyring(Context& context) {
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(const auto view, client->Call<ops::KeyringView>("GetKeyring", ops::Empty()));
  ASSIGN_OR_RETURN(model::Keyring keyring, FoldKeyring(view, profile->keyring_fingerprint));
  return SiteKeyring{std::move(keyring), view.chain().rbegin()->statement()};
}

std::vector<std::string> Changes(const std::string& before, const std::string& after) {
  const std::vector<std::string> old_lines = absl::StrSplit(before, '\n');
  const std::vector<std::string> new_lines = absl::StrSplit(after, '\n');
  const auto missing = [](const std::vector<std::string>& from, const std::vector<std::string>& in, const char* mark,
                          std::vector<std::string>& into) {
    for (const std::string& line : from) {
      if (IsBookkeeping(line) || std::find(in.begin(), in.end(), line) != in.end()) continue;
      into.push_back(absl::StrCat(mark, line));
    }
  };
  std::vector<std::string> changes;
  missing(old_lines, new_lines, "- ", changes);
  missing(new_lines, old_lines, "+ ", changes);
  return changes;
}

absl::StatusOr<Standing> SignKeyringChange(Context& context, const SiteKeyring& site, plan::v1::SignedStatement next,
                                           const std::string& file) {
  const model::Keyring& keyring = site.keyring;
  RETURN_IF_ERROR(CheckFollows(keyring, next));
  const std::vector<std::string> changes = Changes(site.text, next.statement());
  if (changes.empty()) return absl::FailedPreconditionError("nothing would change; nothing was signed");
  context.Note(absl::StrCat("Keyring version ", keyring.version() + 1, ":"));
  for (const std::string& line : changes) {
    const Color color = line[0] == '-' ? Color::kBad : Color::kGood;
    const std::string text = absl::StrCat("  ", line);
    context.Note(context.terminal.ErrIsTerminal() ? context.terminal.Paint(text, color) : text);
  }
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  ASSIGN_OR_RETURN(const std::vector<std::string> before, AdminsWhoSigned(keyring, next));
  if (std::find(before.begin(), before.end(), profile->operator_name) != before.end()) {
    return absl::FailedPreconditionError(absl::StrCat(profile->operator_name, " has signed this already; it needs ",
                                                      keyring.policy().keyring_signatures, " different admins"));
  }
  RETURN_IF_ERROR(context.Confirm("Sign it?"));
  ASSIGN_OR_RETURN(const crypto::SecretKey key, LoadMySigningKey(context));
  RETURN_IF_ERROR(FindMyself(keyring, profile->operator_name, key).status());
  *next.add_signatures() = SignBytes(context, key, profile->operator_name, next.statement(), kKind);
  ASSIGN_OR_RETURN(const std::vector<std::string> admins, AdminsWhoSigned(keyring, next));
  const uint32_t needed = keyring.policy().keyring_signatures;
  if (admins.size() < needed) {
    RETURN_IF_ERROR(WriteFileDurably(file, WriteSignedFile(next)));
    context.Note(absl::StrCat("signed by ", absl::StrJoin(admins, ", "), "; ", needed - admins.size(),
                              " more admin(s) must sign"));
    return Standing::kNeedsMore;
  }
  // What the coordinator would refuse is told before it is asked.
  model::Keyring trial = keyring;
  RETURN_IF_ERROR(trial.Extend(next));
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::ExtendKeyringRequest request;
  *request.mutable_statement() = std::move(next);
  RETURN_IF_ERROR(client->Call<ops::KeyringView>("ExtendKeyring", request).status());
  return Standing::kInForce;
}

std::string StatementFileName(const model::Keyring& keyring) {
  return absl::StrCat("keyring-", keyring.version() + 1, ".statement");
}

absl::StatusOr<int> ReportStanding(Context& context, const SiteKeyring& before, Standing standing,
                                   const std::string& file) {
  const bool done = standing == Standing::kInForce;
  const uint32_t version = before.keyring.version() + 1;
  if (context.json()) {
    context.PrintJson(Json{{"version", version}, {"in_force", done}, {"file", done ? "" : file}});
  } else if (done) {
    context.Say(absl::StrCat("Keyring version ", version, " is in force."));
  } else {
    context.Say(absl::StrCat("Version ", version, " waits in ", file, ": another admin runs `reprise key sign ", file,
                             "`"));
  }
  return done ? kExitOk : kExitPartial;
}

}  // namespace reprise::cli
