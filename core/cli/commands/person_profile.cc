#include "core/cli/commands/person_profile.h"

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/trust/certificate_request.h"

namespace reprise::cli {
namespace {

std::string Address(const std::string& name, const std::string& listen) {
  const bool v6 = name.find(':') != std::string::npos;
  return absl::StrCat(v6 ? "[" : "", name, v6 ? "]" : "", ":", PortOf(listen));
}

}  // namespace

Certify CertifyByCoordinator(Context& context) {
  return [&context](const std::string& person, const std::string& request_pem) -> absl::StatusOr<Certified> {
    ASSIGN_OR_RETURN(Client* client, context.client());
    ops::CertifyOperatorRequest request;
    request.set_operator_(person);
    request.set_csr_pem(request_pem);
    ASSIGN_OR_RETURN(const auto response, client->Call<ops::CertifyOperatorResponse>("CertifyOperator", request));
    return Certified{response.certificate_pem(), response.ca_pem()};
  };
}

Certify CertifyByAuthority(const trust::CertificateAuthority& authority, UnixMs now) {
  return [&authority, now](const std::string& person, const std::string& request_pem) -> absl::StatusOr<Certified> {
    ASSIGN_OR_RETURN(std::string certificate, authority.IssueOperator(request_pem, person, now));
    return Certified{std::move(certificate), authority.certificate()};
  };
}

Profile ProfileOfSite(const trust::CoordinatorConfig& config, const std::string& keyring_fingerprint) {
  const std::string name = config.names.empty() ? "127.0.0.1" : config.names.front();
  Profile profile;
  profile.coordinator = Address(name, config.listen);
  profile.join = Address(name, config.join_listen);
  profile.web = absl::StrCat("https://", Address(name, config.web_listen));
  profile.keyring_fingerprint = keyring_fingerprint;
  return profile;
}

absl::StatusOr<Profile> CompleteProfile(const Profile& site, const std::filesystem::path& folder,
                                        const std::string& person, const Certify& certify) {
  Profile profile = site;
  profile.key_pem.clear();
  std::error_code error;
  if (std::filesystem::exists(folder / "profile.json", error)) {
    // An expired certificate is what brings people here.
    ASSIGN_OR_RETURN(profile, LoadProfile(folder, /*now=*/0));
    if (profile.operator_name != person) {
      return absl::FailedPreconditionError(absl::StrCat("the profile in ", folder.string(), " is of ",
                                                        profile.operator_name, ", not of ", person));
    }
  } else if (auto key = ReadFile(folder / "client.key"); key.ok()) {
    profile.key_pem = *std::move(key);
  }
  profile.folder = folder;
  profile.operator_name = person;
  if (profile.key_pem.empty()) {
    ASSIGN_OR_RETURN(profile.key_pem, trust::NewKey());
  }
  ASSIGN_OR_RETURN(const std::string request, trust::NewRequest(profile.key_pem, person));
  ASSIGN_OR_RETURN(Certified certified, certify(person, request));
  RETURN_IF_ERROR(trust::CheckKeyBelongs(profile.key_pem, certified.certificate_pem));
  profile.certificate_pem = std::move(certified.certificate_pem);
  profile.ca_pem = std::move(certified.ca_pem);
  RETURN_IF_ERROR(SaveProfile(profile));
  return profile;
}

absl::Status WriteSigningKey(const std::filesystem::path& file, const crypto::SecretKey& key,
                             const std::string& password) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat(file.string(), " is there already, and no key is ever written over. Give another file"));
  }
  if (file.has_parent_path()) {
    std::filesystem::create_directories(file.parent_path(), error);
    if (error) return absl::PermissionDeniedError(absl::StrCat(file.parent_path().string(), ": ", error.message()));
  }
  ASSIGN_OR_RETURN(const std::string text, key.File(password));
  std::filesystem::path pub = file;
  if (file.extension() == ".key") {
    pub.replace_extension(".pub");
  } else {
    pub += ".pub";
  }
  RETURN_IF_ERROR(
      WriteFileDurably(pub, key.Public().File(absl::StrCat("minisign public key ", key.Public().KeyId()))));
  return WriteFileDurably(file, text, 0600);
}

}  // namespace reprise::cli
