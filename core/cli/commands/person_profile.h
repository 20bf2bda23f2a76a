// A person's profile in the making: connection key, request, certificate, and where the coordinator is. For `init`,
// `key add --new-profile` and `key certify`. Private to commands.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "core/cli/context.h"
#include "core/crypto/minisign.h"
#include "core/trust/certificate_authority.h"
#include "core/trust/coordinator_folder.h"

namespace reprise::cli {

// Certificate and authority, both PEM, for a request.
struct Certified {
  std::string certificate_pem;
  std::string ca_pem;
};
using Certify = std::function<absl::StatusOr<Certified>(const std::string& person, const std::string& request_pem)>;

// The coordinator does it (an admin's word is needed); or the authority's own key, on the coordinator's machine.
Certify CertifyByCoordinator(Context& context);
Certify CertifyByAuthority(const trust::CertificateAuthority& authority, UnixMs now);  // `authority` outlives it.

// Addresses and pinned fingerprint, from a coordinator's configuration; the folder is left to the caller.
Profile ProfileOfSite(const trust::CoordinatorConfig& config, const std::string& keyring_fingerprint);

// Gives `folder` a certificate and whatever of a profile is not there yet, the rest taken from `site`. A connection key
// that is there is kept. FAILED_PRECONDITION: the profile belongs to another person.
absl::StatusOr<Profile> CompleteProfile(const Profile& site, const std::filesystem::path& folder,
                                        const std::string& person, const Certify& certify);

// signing.key and signing.pub beside each other. ALREADY_EXISTS: a key is never written over.
absl::Status WriteSigningKey(const std::filesystem::path& file, const crypto::SecretKey& key,
                             const std::string& password);

}  // namespace reprise::cli
