#include "core/trust/coordinator_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/trust/certificate.h"
#include "core/trust/certificate_request.h"

namespace reprise::trust {
namespace {

constexpr unsigned kPrivate = 0600;
constexpr unsigned kPublic = 0644;

bool NamesAll(const Certificate& certificate, const std::vector<std::string>& names) {
  std::set<std::string> has(certificate.dns_names.begin(), certificate.dns_names.end());
  has.insert(certificate.addresses.begin(), certificate.addresses.end());
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) { return has.contains(name); });
}

}  // namespace

absl::Status CoordinatorFolder::Create(const CoordinatorConfig& config, UnixMs now) const {
  std::error_code error;
  if (std::filesystem::exists(Config(), error)) {
    return absl::AlreadyExistsError(
        absl::StrCat(Config().string(), ": there is a coordinator in this folder already. Give another --data"));
  }
  // Written and read again first: what cannot be started is not founded.
  ASSIGN_OR_RETURN(const CoordinatorConfig checked, CoordinatorConfig::Parse(config.Json()));
  ASSIGN_OR_RETURN(const CertificateAuthority authority, CertificateAuthority::Create(checked.site, now));
  ASSIGN_OR_RETURN(const std::string key, authority.KeyPem());
  std::filesystem::create_directories(path_, error);
  if (error || chmod(path_.c_str(), 0700) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(path_.string(), ": cannot make this folder with mode 0700"));
  }
  std::filesystem::create_directories(Blobs(), error);
  if (error) return absl::PermissionDeniedError(absl::StrCat(Blobs().string(), ": ", error.message()));
  RETURN_IF_ERROR(WriteFileDurably(AuthorityKey(), key, kPrivate));
  RETURN_IF_ERROR(WriteFileDurably(AuthorityCertificate(), authority.certificate(), kPublic));
  RETURN_IF_ERROR(WriteServer(authority, checked, now));
  return WriteFileDurably(Config(), checked.Json(), kPublic);
}

absl::StatusOr<CoordinatorConfig> CoordinatorFolder::ReadConfig() const {
  auto text = ReadFile(Config());
  if (!text.ok()) {
    return absl::Status(text.status().code(),
                        absl::StrCat(std::string(text.status().message()),
                                     ". Is it a coordinator's folder? Make one with `reprise init`"));
  }
  auto config = CoordinatorConfig::Parse(*text);
  if (config.ok()) return config;
  return absl::Status(config.status().code(),
                      absl::StrCat(path_.string(), "/", std::string(config.status().message()),
                                   ". Mend the file, or restore it from a copy of this folder"));
}

absl::StatusOr<CertificateAuthority> CoordinatorFolder::LoadAuthority() const {
  const auto with_way_out = [](const absl::Status& status, const std::string& where) {
    return absl::Status(status.code(), absl::StrCat(where, std::string(status.message()),
                                                    ". Restore both halves of the authority from one copy of this folder: "
                                                    "with a new one every host and person would have to join again"));
  };
  const auto certificate = ReadFile(AuthorityCertificate());
  if (!certificate.ok()) return with_way_out(certificate.status(), "");
  const auto key = ReadFile(AuthorityKey());
  if (!key.ok()) return with_way_out(key.status(), "");
  auto authority = CertificateAuthority::Load(*certificate, *key);
  if (!authority.ok()) {
    return with_way_out(authority.status(), absl::StrCat(AuthorityCertificate().string(), " and ",
                                                         AuthorityKey().filename().string(), ": "));
  }
  return authority;
}

absl::StatusOr<CoordinatorFolder::ServerIdentity> CoordinatorFolder::LoadServerIdentity(UnixMs now) const {
  ASSIGN_OR_RETURN(const CoordinatorConfig config, ReadConfig());
  ASSIGN_OR_RETURN(const CertificateAuthority authority, LoadAuthority());
  const auto usable = [&](const std::string& key, const std::string& pem) {
    const auto certificate = ReadCertificate(pem);
    return certificate.ok() && now < certificate->RenewAt() && now > certificate->not_before &&
           NamesAll(*certificate, config.names) && CheckKeyBelongs(key, pem).ok();
  };
  const auto key = ReadFile(ServerKey());
  const auto certificate = ReadFile(ServerCertificate());
  if (!key.ok() || !certificate.ok() || !usable(*key, *certificate)) {
    RETURN_IF_ERROR(WriteServer(authority, config, now));
  }
  ServerIdentity identity;
  ASSIGN_OR_RETURN(identity.key, ReadFile(ServerKey()));
  ASSIGN_OR_RETURN(identity.certificate_chain, ReadFile(ServerCertificate()));
  identity.certificate_chain += authority.certificate();
  return identity;
}

absl::Status CoordinatorFolder::WriteServer(const CertificateAuthority& authority, const CoordinatorConfig& config,
                                            UnixMs now) const {
  ASSIGN_OR_RETURN(const std::string key, NewKey());
  ASSIGN_OR_RETURN(const std::string request, NewRequest(key, kServerDnsName));
  ASSIGN_OR_RETURN(const std::string certificate, authority.IssueServer(request, config.names, now));
  RETURN_IF_ERROR(WriteFileDurably(ServerKey(), key, kPrivate));
  return WriteFileDurably(ServerCertificate(), certificate, kPublic);
}

}  // namespace reprise::trust
