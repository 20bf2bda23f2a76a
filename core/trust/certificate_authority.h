// The site's own certificate authority: an ECDSA P-256 key that signs the certificates of hosts, operators and the
// coordinator's server. It needs no other service and nobody else trusts it. It proves who speaks, never what they may
// do: permission comes from the keyring (core/model/keyring.h), whose keys this authority does not hold.
// Used by the coordinator, and by `reprise init`. Thread-compatible: const methods from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/trust/certificate.h"

namespace reprise::trust {

inline constexpr UnixMs kHour = 3'600'000;
inline constexpr UnixMs kHostCertificateLife = 24 * kHour;
inline constexpr UnixMs kOperatorCertificateLife = 30 * 24 * kHour;
// The coordinator makes its own anew when it starts (it has the authority's key), so this only bounds how long it may
// run without a restart.
inline constexpr UnixMs kServerCertificateLife = 2 * 365 * 24 * kHour;
inline constexpr UnixMs kAuthorityLife = 20 * 365 * 24 * kHour;
// Certificates begin this much before now: a host's clock may be a little behind.
inline constexpr UnixMs kClockTolerance = 5 * 60'000;

// What every client expects in the server's certificate, whatever address it was reached at.
inline constexpr char kServerDnsName[] = "reprise-coordinator";

class CertificateAuthority {
 public:
  // A new one, "Reprise CA <site>". INVALID_ARGUMENT: the site's name is empty, too long or not plain text.
  static absl::StatusOr<CertificateAuthority> Create(std::string_view site, UnixMs now);
  // INVALID_ARGUMENT: not PEM, not an authority, or the key is another's.
  static absl::StatusOr<CertificateAuthority> Load(std::string_view certificate_pem, std::string_view key_pem);

  CertificateAuthority(CertificateAuthority&&) noexcept;
  CertificateAuthority& operator=(CertificateAuthority&&) noexcept;
  ~CertificateAuthority();

  const std::string& certificate() const { return certificate_pem_; }  // PEM
  const std::string& fingerprint() const { return fingerprint_; }      // Hex SHA-256 of the DER: what join codes carry.
  absl::StatusOr<std::string> KeyPem() const;                          // In clear; write it with mode 0600.

  // Certificates as PEM. Of the request only its key is taken (ECDSA P-256, proven by the request's own signature);
  // the name comes from the caller, who knows to whom he speaks.
  // INVALID_ARGUMENT: the request or the name is not acceptable.
  absl::StatusOr<std::string> IssueHost(std::string_view request_pem, std::string_view host, UnixMs now,
                                        UnixMs life = kHostCertificateLife) const;
  absl::StatusOr<std::string> IssueOperator(std::string_view request_pem, std::string_view name, UnixMs now,
                                            UnixMs life = kOperatorCertificateLife) const;
  // `names`: DNS names and IP addresses at which people reach it; kServerDnsName is always added.
  absl::StatusOr<std::string> IssueServer(std::string_view request_pem, const std::vector<std::string>& names,
                                          UnixMs now, UnixMs life = kServerCertificateLife) const;

 private:
  struct Parts;
  explicit CertificateAuthority(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  std::string certificate_pem_;
  std::string fingerprint_;
};

}  // namespace reprise::trust
