#include "core/cli/commands/founding_site.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/person_profile.h"
#include "core/cli/signing.h"
#include "core/journal/founding.h"
#include "core/journal/journal_reader.h"
#include "core/trust/certificate_request.h"

namespace reprise::cli {
namespace {

bool Exists(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// What SQLite keeps beside its file, and the file itself.
constexpr const char* kJournalSuffixes[] = {"-wal", "-shm", ""};

std::filesystem::path MakingFolder(const trust::CoordinatorFolder& folder) {
  return folder.path() / "founding";
}

absl::Status MakeFolder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  if (error) return absl::PermissionDeniedError(absl::StrCat(path.string(), ": ", error.message()));
  return absl::OkStatus();
}

absl::Status CheckNothingThere(const FoundingRequest& request, const trust::CoordinatorFolder& folder) {
  if (Exists(folder.Config())) {
    const bool half = !Exists(request.profile / "profile.json");
    return absl::AlreadyExistsError(absl::StrCat(
        "there is a site in ", request.data.string(), " already; nothing was changed",
        half ? absl::StrCat("\n  try: `reprise key certify ", request.founder, " --data ", request.data.string(),
                            " --update ", request.profile.string(), "`, if only the profile is missing")
             : "\n  try: another --data for another site"));
  }
  if (Exists(request.profile / "profile.json")) {
    return absl::AlreadyExistsError(
        absl::StrCat("there is a profile in ", request.profile.string(),
                     " already; nothing was changed\n  try: --profile FOLDER for the new one"));
  }
  return absl::OkStatus();
}

// The folder gets mode 0700: it may be one that is there already (a mounted disk), but none in which others keep
// theirs.
absl::Status CheckFolderIsOurs(const trust::CoordinatorFolder& folder) {
  std::set<std::filesystem::path> ours = {"lost+found", MakingFolder(folder).filename()};
  for (const auto& path : {folder.Config(), folder.Blobs(), folder.AuthorityCertificate(), folder.AuthorityKey(),
                           folder.ServerCertificate(), folder.ServerKey(), folder.Journal()}) {
    ours.insert(path.filename());
    for (const char* suffix : {"-wal", "-shm"}) ours.insert(path.filename().string() + suffix);
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path(), error)) {
    const std::filesystem::path name = entry.path().filename();
    // A file half written when the founding was cut short has the name of one of ours in front.
    const bool temporary = std::any_of(
        ours.begin(), ours.end(), [&](const auto& known) { return name.string().starts_with(known.string() + "."); });
    if (ours.contains(name) || temporary) continue;
    return absl::FailedPreconditionError(absl::StrCat(folder.path().string(), " has other things in it (",
                                                      name.string(), "); give a new folder as --data"));
  }
  return absl::OkStatus();
}

// Names and addresses are tried on an authority that is thrown away, before anything is written.
absl::Status TryOut(const FoundingRequest& request, UnixMs now) {
  if (!model::IsName(request.founder)) {
    return absl::InvalidArgumentError(absl::StrCat("--operator: \"", request.founder,
                                                   "\" is no name: a-z, 0-9, '-' and '.', at most ", model::kNameMax));
  }
  RETURN_IF_ERROR(trust::CoordinatorConfig::Parse(request.config.Json()).status());
  ASSIGN_OR_RETURN(const auto authority, trust::CertificateAuthority::Create(request.config.site, now));
  ASSIGN_OR_RETURN(const std::string key, trust::NewKey());
  ASSIGN_OR_RETURN(const std::string csr, trust::NewRequest(key, trust::kServerDnsName));
  return authority.IssueServer(csr, request.config.names, now).status();
}

absl::Status RemoveJournalFiles(const std::filesystem::path& journal) {
  for (const char* suffix : kJournalSuffixes) {
    std::error_code error;
    std::filesystem::remove(journal.string() + suffix, error);
    if (error) return absl::PermissionDeniedError(absl::StrCat(journal.string(), suffix, ": ", error.message()));
  }
  return absl::OkStatus();
}

// Of a founding that was cut short nobody can have used the journal: it has the one event, and no coordinator starts
// without coordinator.json. Any other journal is a site's, and is left alone.
absl::Status RemoveUnusedJournal(const trust::CoordinatorFolder& folder) {
  if (!Exists(folder.Journal())) return RemoveJournalFiles(folder.Journal());
  uint64_t events = 0;
  auto reader = journal::JournalReader::Open(folder.Journal());
  absl::Status read = reader.status();
  if (reader.ok()) {
    read = reader->Read(1, [&](const journal::Record&) {
      events += 1;
      return absl::OkStatus();
    });
  }
  if (read.ok() && events > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder.Journal().string(), " is a site's journal with ", events, " events, but ",
                     folder.Config().string(), " is missing. Nothing was changed; restore that file from a copy"));
  }
  if (!read.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(folder.Journal().string(), " is there and cannot be read (",
                                                      std::string(read.message()),
                                                      "). Nothing was changed; move it away, or give another --data"));
  }
  return RemoveJournalFiles(folder.Journal());
}

// Made in a folder of its own and moved when whole, the file that counts last: what stands under its name was founded.
absl::Status PlaceJournal(const trust::CoordinatorFolder& folder, const plan::v1::SignedStatement& first,
                          const std::string& founder, UnixMs now) {
  const std::filesystem::path making = MakingFolder(folder);
  std::error_code error;
  std::filesystem::remove_all(making, error);
  RETURN_IF_ERROR(MakeFolder(making));
  const std::filesystem::path made = making / folder.Journal().filename();
  RETURN_IF_ERROR(journal::FoundJournal(made, first, founder, now));
  for (const char* suffix : kJournalSuffixes) {
    if (!Exists(made.string() + suffix)) continue;
    std::filesystem::rename(made.string() + suffix, folder.Journal().string() + suffix, error);
    if (error)
      return absl::PermissionDeniedError(absl::StrCat(folder.Journal().string(), suffix, ": ", error.message()));
  }
  std::filesystem::remove_all(making, error);
  return absl::OkStatus();
}

struct Key {
  crypto::SecretKey secret;
  std::optional<std::string> password;  // Of a key that is not written yet.
};

absl::StatusOr<Key> FounderKey(Context& context, const FoundingRequest& request) {
  const std::filesystem::path there = request.profile / "signing.key";
  if (!request.key_file.empty()) {
    if (Exists(there)) {
      return absl::AlreadyExistsError(absl::StrCat(there.string(), " is there already; --key would write over it"));
    }
    ASSIGN_OR_RETURN(crypto::SecretKey key, LoadSigningKey(context, request.key_file));
    return Key{std::move(key), std::nullopt};
  }
  if (Exists(there)) {
    context.Note(absl::StrCat("taking the signing key that is in ", there.string()));
    ASSIGN_OR_RETURN(crypto::SecretKey key, LoadSigningKey(context, there));
    return Key{std::move(key), std::nullopt};
  }
  std::string password;
  if (!request.no_password) {
    ASSIGN_OR_RETURN(password, NewPassword(context, request.founder));
  }
  return Key{crypto::SecretKey::Generate(), password};
}

absl::Status PlaceKey(const FoundingRequest& request, const Key& key) {
  const std::filesystem::path file = request.profile / "signing.key";
  if (key.password) return WriteSigningKey(file, key.secret, *key.password);
  if (request.key_file.empty()) return absl::OkStatus();
  // As it is, with its password.
  ASSIGN_OR_RETURN(const std::string text, ReadFile(request.key_file));
  std::error_code error;
  std::filesystem::create_directories(request.profile, error);
  if (error) return absl::PermissionDeniedError(absl::StrCat(request.profile.string(), ": ", error.message()));
  const crypto::PublicKey pub = key.secret.Public();
  RETURN_IF_ERROR(
      WriteFileDurably(request.profile / "signing.pub", pub.File(absl::StrCat("minisign public key ", pub.KeyId()))));
  return WriteFileDurably(file, text, 0600);
}

absl::StatusOr<std::string> HeadOf(const std::filesystem::path& journal) {
  ASSIGN_OR_RETURN(auto reader, journal::JournalReader::Open(journal));
  std::string head;
  RETURN_IF_ERROR(reader.Read(1, [&](const journal::Record& record) {
    head = ToHex(record.hash);
    return absl::OkStatus();
  }));
  return head;
}

}  // namespace

absl::StatusOr<FoundedSite> FoundSite(Context& context, const FoundingRequest& request) {
  const UnixMs now = context.clock.Now();
  const trust::CoordinatorFolder folder(request.data);
  RETURN_IF_ERROR(CheckNothingThere(request, folder));
  RETURN_IF_ERROR(CheckFolderIsOurs(folder));
  RETURN_IF_ERROR(TryOut(request, now));
  ASSIGN_OR_RETURN(const Key key, FounderKey(context, request));
  const crypto::PublicKey pub = key.secret.Public();
  const model::Operator founder{
      request.founder, {model::v1::ROLE_ADMIN, model::v1::ROLE_APPROVER, model::v1::ROLE_OPERATOR}, pub, true};
  const plan::v1::SignedStatement first =
      SignStatement(context, key.secret, request.founder, model::Keyring::First({founder}, request.policy, now));
  ASSIGN_OR_RETURN(const model::Keyring keyring, model::Keyring::Found(first, ""));

  RETURN_IF_ERROR(MakeFolder(request.data));
  RETURN_IF_ERROR(RemoveUnusedJournal(folder));
  RETURN_IF_ERROR(PlaceKey(request, key));
  RETURN_IF_ERROR(PlaceJournal(folder, first, request.founder, now));
  RETURN_IF_ERROR(folder.Create(request.config, now));
  ASSIGN_OR_RETURN(const trust::CertificateAuthority authority, folder.LoadAuthority());
  FoundedSite site;
  ASSIGN_OR_RETURN(site.profile, CompleteProfile(ProfileOfSite(request.config, keyring.fingerprint()), request.profile,
                                                 request.founder, CertifyByAuthority(authority, now)));
  site.keyring_fingerprint = keyring.fingerprint();
  site.ca_fingerprint = authority.fingerprint();
  ASSIGN_OR_RETURN(site.journal_head, HeadOf(folder.Journal()));
  site.public_key = pub.Base64();
  site.key_id = pub.KeyId();
  return site;
}

}  // namespace reprise::cli
