#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/keyring_change.h"
#include "core/cli/commands/person_profile.h"
#include "core/cli/signing.h"

namespace reprise::cli {
namespace {

struct KeyAddFlags {
  std::string name;
  std::string public_key;
  std::string roles;
  std::string new_profile;
  bool no_password = false;
  std::string file;
  std::optional<uint32_t> change_signatures;
  std::optional<uint32_t> destroy_signatures;
  std::optional<uint32_t> keyring_signatures;
};

absl::StatusOr<std::vector<model::v1::Role>> ReadRoles(const std::string& text) {
  std::vector<model::v1::Role> roles;
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(text, ',', absl::SkipWhitespace()))) {
    const auto role = model::FromName<model::v1::Role>(word);
    const auto names = model::NamesOf<model::v1::Role>();
    if (!role) {
      const std::string nearest = NearestName(word, names);
      return UsageError(absl::StrCat("--roles: \"", word, "\" is no role; expected ", absl::StrJoin(names, ", "),
                                     nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?")));
    }
    roles.push_back(*role);
  }
  if (roles.empty()) return UsageError("--roles: expected at least one");
  return roles;
}

// The line itself, or a .pub file.
absl::StatusOr<crypto::PublicKey> ReadPublicKey(const std::string& text) {
  auto key = crypto::PublicKey::Parse(text);
  if (key.ok()) return key;
  const auto content = ReadFile(text);
  if (!content.ok()) {
    return UsageError(
        absl::StrCat("--public: neither a minisign public key (RW…) nor a file that can be read: ", text));
  }
  auto read = crypto::PublicKey::Parse(*content);
  if (!read.ok()) return UsageError(absl::StrCat("--public: ", text, ": ", std::string(read.status().message())));
  return read;
}

// The person's own key in the folder of a profile to be: one that is there, from an earlier try, is taken.
absl::StatusOr<crypto::PublicKey> KeyOfNewProfile(Context& context, const KeyAddFlags& flags) {
  const std::filesystem::path file = std::filesystem::path(flags.new_profile) / "signing.key";
  if (const auto there = LoadProfile(flags.new_profile, /*now=*/0); there.ok() && there->operator_name != flags.name) {
    return absl::FailedPreconditionError(absl::StrCat("the profile in ", flags.new_profile, " is of ",
                                                      there->operator_name, "; name a new folder for ", flags.name));
  }
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    const auto pub = ReadFile(std::filesystem::path(flags.new_profile) / "signing.pub");
    if (!pub.ok()) return pub.status();
    return crypto::PublicKey::Parse(*pub);
  }
  std::string password;
  if (!flags.no_password) {
    ASSIGN_OR_RETURN(password, NewPassword(context, flags.name));
  }
  const crypto::SecretKey key = crypto::SecretKey::Generate();
  RETURN_IF_ERROR(WriteSigningKey(file, key, password));
  return key.Public();
}

absl::StatusOr<model::Operator> PersonOf(Context& context, const KeyAddFlags& flags, const model::Operator* known) {
  if (!model::IsName(flags.name)) {
    return UsageError(
        absl::StrCat("\"", flags.name, "\" is no name: a-z, 0-9, '-' and '.', at most ", model::kNameMax));
  }
  if (!flags.public_key.empty() && !flags.new_profile.empty()) {
    return UsageError("--public or --new-profile, not both: the new profile has a key of its own");
  }
  if (flags.roles.empty() && known == nullptr) return UsageError("a new person needs --roles");
  std::vector<model::v1::Role> roles = known != nullptr ? known->roles : std::vector<model::v1::Role>();
  if (!flags.roles.empty()) {
    ASSIGN_OR_RETURN(roles, ReadRoles(flags.roles));
  }
  if (!flags.public_key.empty()) {
    ASSIGN_OR_RETURN(crypto::PublicKey key, ReadPublicKey(flags.public_key));
    return model::Operator{flags.name, std::move(roles), std::move(key), true};
  }
  if (!flags.new_profile.empty()) {
    ASSIGN_OR_RETURN(crypto::PublicKey key, KeyOfNewProfile(context, flags));
    return model::Operator{flags.name, std::move(roles), std::move(key), true};
  }
  if (known == nullptr) {
    return UsageError(absl::StrCat("whose key? --public KEY, as `reprise key new` printed it for ", flags.name,
                                   ", or --new-profile FOLDER to make one here"));
  }
  if (!known->active) {
    return absl::FailedPreconditionError(
        absl::StrCat("the key of ", flags.name, " was revoked and never comes back; give a new one with --public"));
  }
  return model::Operator{flags.name, std::move(roles), known->key, true};
}

absl::StatusOr<int> Add(Context& context, const KeyAddFlags& flags) {
  ASSIGN_OR_RETURN(const SiteKeyring site, FetchSiteKeyring(context));
  ASSIGN_OR_RETURN(const model::Operator person, PersonOf(context, flags, site.keyring.Find(flags.name)));
  std::vector<model::Operator> people = {person};
  for (const auto& [name, other] : site.keyring.operators()) {
    if (name != flags.name) people.push_back(other);
  }
  model::SigningPolicy policy = site.keyring.policy();
  policy.change_signatures = flags.change_signatures.value_or(policy.change_signatures);
  policy.destroy_signatures = flags.destroy_signatures.value_or(policy.destroy_signatures);
  policy.keyring_signatures = flags.keyring_signatures.value_or(policy.keyring_signatures);
  plan::v1::SignedStatement next;
  next.set_statement(site.keyring.Next(people, policy, context.clock.Now()).Bytes());
  const std::string file = flags.file.empty() ? StatementFileName(site.keyring) : flags.file;
  ASSIGN_OR_RETURN(const Standing standing, SignKeyringChange(context, site, std::move(next), file));
  if (!flags.new_profile.empty() && standing == Standing::kInForce) {
    ASSIGN_OR_RETURN(const Profile* mine, context.profile());
    ASSIGN_OR_RETURN(const Profile made,
                     CompleteProfile(*mine, flags.new_profile, flags.name, CertifyByCoordinator(context)));
    context.Note(absl::StrCat("The profile of ", flags.name, " is in ", made.folder.string(),
                              "; give the folder to nobody else"));
  } else if (!flags.new_profile.empty()) {
    context.Note(absl::StrCat("The signing key is in ", flags.new_profile,
                              "; once the keyring is in force, `reprise key ", "certify ", flags.name, " --update ",
                              flags.new_profile, "` completes the profile"));
  }
  return ReportStanding(context, site, standing, file);
}

}  // namespace

Action DeclareKeyAdd(CommandLine& app) {
  auto flags = std::make_shared<KeyAddFlags>();
  app.Option("NAME", flags->name, "The person: a-z, 0-9, '-' and '.'").Required();
  app.Option("--public", flags->public_key, "The person's public key (RW…), or the .pub file with it")
      .TypeName("KEY|FILE");
  app.Option("--roles", flags->roles, "viewer, operator, approver, admin; with commas between").TypeName("ROLES");
  app.Option("--new-profile", flags->new_profile,
                 "Make signing key, connection key and certificate here, for the person")
      .TypeName("FOLDER");
  app.Flag("--no-password", flags->no_password, "Keep the new profile's signing key in clear");
  app.Option("--file", flags->file, "Where the change waits if it needs more signatures").TypeName("FILE");
  app.Option("--change-signatures", flags->change_signatures,
                 "From now on, people who must sign what changes hosts")
      .Between(1, 16)
      .TypeName("N");
  app.Option("--destroy-signatures", flags->destroy_signatures, "Likewise, what destroys")
      .Between(1, 16)
      .TypeName("N");
  app.Option("--keyring-signatures", flags->keyring_signatures,
                 "Likewise, admins who must sign a change of the keyring")
      .Between(1, 16)
      .TypeName("N");
  app.Footer(
      "Examples:\n"
      "  reprise key add bob --public RWQf6LRCGA9i53ml… --roles operator,approver\n"
      "  reprise key add bob --roles approver                     other roles, same key\n"
      "  reprise key add carol --roles admin --keyring-signatures 2\n"
      "  reprise key add dave --roles viewer --new-profile /media/usb/dave\n"
      "Exit code 6: signed, and more admins must sign before it is in force (`reprise key sign`).");
  return [flags](Context& context) { return Add(context, *flags); };
}

}  // namespace reprise::cli
