#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/person_profile.h"
#include "core/journal/journal_reader.h"
#include "core/model/keyring.h"
#include "core/trust/certificate.h"

namespace reprise::cli {
namespace {

struct KeyCertifyFlags {
  std::string name;
  std::string update;
  std::string data;
  std::string csr;
};

// As the coordinator's own journal has it. UNAVAILABLE or DATA_LOSS: the file.
absl::StatusOr<model::Keyring> KeyringOfJournal(const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(auto reader, journal::JournalReader::Open(file));
  std::optional<model::Keyring> keyring;
  RETURN_IF_ERROR(reader.Read(1, [&](const journal::Record& record) -> absl::Status {
    journal::v1::Event event;
    if (!event.ParseFromString(record.payload)) {
      return absl::DataLossError(absl::StrCat(file.string(), ": event ", record.sequence, " cannot be read"));
    }
    if (!event.has_keyring_extended()) return absl::OkStatus();
    if (keyring) return keyring->Extend(event.keyring_extended().statement());
    ASSIGN_OR_RETURN(keyring, model::Keyring::Found(event.keyring_extended().statement(), ""));
    return absl::OkStatus();
  }));
  if (!keyring) return absl::FailedPreconditionError(absl::StrCat(file.string(), " has no keyring"));
  return *std::move(keyring);
}

absl::Status CheckActive(const model::Keyring& keyring, const std::string& name) {
  const model::Operator* person = keyring.Find(name);
  if (person != nullptr && person->active) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(name,
                                                    person == nullptr ? " is not in the keyring" : " has a revoked key",
                                                    "; an admin runs `reprise key add` first"));
}

// A profile to renew: the one that was named, else the own one, whatever its certificate says.
absl::StatusOr<std::filesystem::path> FolderToUpdate(Context& context, const KeyCertifyFlags& flags) {
  if (!flags.update.empty()) return std::filesystem::path(flags.update);
  const std::filesystem::path own = ProfileFolder(context.flags.profile);
  const auto profile = LoadProfile(own, /*now=*/0);
  if (profile.ok() && profile->operator_name == flags.name) return own;
  return UsageError(absl::StrCat("which profile? --update FOLDER of ", flags.name,
                                 ", or --csr FILE with a request that was made on the person's machine"));
}

absl::StatusOr<int> Issue(Context& context, const KeyCertifyFlags& flags, const Profile& site, const Certify& certify) {
  if (!flags.csr.empty()) {
    if (!flags.update.empty()) return UsageError("--csr or --update, not both");
    ASSIGN_OR_RETURN(const std::string request, ReadFile(flags.csr));
    ASSIGN_OR_RETURN(const Certified certified, certify(flags.name, request));
    if (context.json()) {
      context.PrintJson(
          Json{{"operator", flags.name}, {"certificate_pem", certified.certificate_pem}, {"ca_pem", certified.ca_pem}});
    } else {
      context.terminal.out() << certified.certificate_pem;
    }
    return kExitOk;
  }
  ASSIGN_OR_RETURN(const std::filesystem::path folder, FolderToUpdate(context, flags));
  ASSIGN_OR_RETURN(const Profile made, CompleteProfile(site, folder, flags.name, certify));
  ASSIGN_OR_RETURN(const trust::Certificate certificate, trust::ReadCertificate(made.certificate_pem));
  if (context.json()) {
    context.PrintJson(Json{{"operator", flags.name},
                           {"folder", folder.string()},
                           {"expires_ms", certificate.not_after},
                           {"fingerprint", certificate.fingerprint}});
  } else {
    context.Say(absl::StrCat("The profile of ", flags.name, " in ", folder.string(), " has a certificate until ",
                             FormatTime(certificate.not_after), "."));
  }
  std::error_code error;
  if (!std::filesystem::exists(made.SigningKey(), error)) {
    context.Note(absl::StrCat("There is no signing.key in it: ", flags.name,
                              " can look and command, and sign once the key is put there"));
  }
  return kExitOk;
}

absl::StatusOr<int> Run(Context& context, const KeyCertifyFlags& flags) {
  if (flags.data.empty()) {
    ASSIGN_OR_RETURN(const Profile* mine, context.profile());
    return Issue(context, flags, *mine, CertifyByCoordinator(context));
  }
  const trust::CoordinatorFolder folder(flags.data);
  ASSIGN_OR_RETURN(const trust::CoordinatorConfig config, folder.ReadConfig());
  ASSIGN_OR_RETURN(const trust::CertificateAuthority authority, folder.LoadAuthority());
  ASSIGN_OR_RETURN(const model::Keyring keyring, KeyringOfJournal(folder.Journal()));
  RETURN_IF_ERROR(CheckActive(keyring, flags.name));
  return Issue(context, flags, ProfileOfSite(config, keyring.fingerprint()),
               CertifyByAuthority(authority, context.clock.Now()));
}

}  // namespace

Action DeclareKeyCertify(CommandLine& app) {
  auto flags = std::make_shared<KeyCertifyFlags>();
  app.Option("NAME", flags->name, "The person, who is in the keyring").Required();
  app.Option("--update", flags->update, "The profile to renew or to complete (default: yours, if it is NAME's)")
      .TypeName("FOLDER");
  app.Option("--csr", flags->csr, "Certify this request, and print the certificate").TypeName("FILE");
  app.Option("--data", flags->data, "On the coordinator's machine: use its data folder, not the network")
      .TypeName("DIR");
  app.Footer(
      "Examples:\n"
      "  reprise key certify alice                                  renew your own\n"
      "  reprise key certify bob --update /media/usb/bob\n"
      "  reprise key certify bob --csr bob.csr > bob.crt            bob's key never leaves his machine\n"
      "  reprise key certify alice --data /var/lib/reprise          all certificates have expired\n"
      "A certificate says who connects. What a person may do, the keyring says.");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
