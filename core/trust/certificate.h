// What stands in a certificate, and whom it names. Verifies nothing: TLS has checked the chain before anybody asks
// who the peer is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"

namespace reprise::trust {

struct Certificate {
  std::string subject;                 // Common name.
  std::string fingerprint;             // Lower-case hex SHA-256 of the DER.
  UnixMs not_before = 0;
  UnixMs not_after = 0;
  std::vector<std::string> uris;       // Subject alternative names, by type.
  std::vector<std::string> dns_names;
  std::vector<std::string> addresses;  // As text.
  bool authority = false;              // May sign others.

  // Half of its life is over: time to renew.
  UnixMs RenewAt() const { return not_before + (not_after - not_before) / 2; }
};

// The first certificate of a PEM text. INVALID_ARGUMENT: not PEM, or its names cannot be read.
absl::StatusOr<Certificate> ReadCertificate(std::string_view pem);
absl::StatusOr<Certificate> ReadCertificateDer(std::string_view der);

// Who speaks, as "host ws-001" would be said in a log.
struct PeerIdentity {
  enum class Kind { kHost, kOperator, kCoordinator };
  Kind kind = Kind::kHost;
  std::string name;         // Empty for the coordinator.
  std::string fingerprint;  // Of the certificate.
  UnixMs valid_from = 0;    // Likewise.

  bool IsHost() const { return kind == Kind::kHost; }
  bool IsOperator() const { return kind == Kind::kOperator; }
  std::string Text() const;
};

// From the one URI "reprise://host/<name>", "reprise://operator/<name>" or "reprise://coordinator".
// UNAUTHENTICATED when there is none, more than one, a name that is not legal, or a common name that says otherwise.
absl::StatusOr<PeerIdentity> IdentityOf(const Certificate& certificate);
// Of a peer's certificate as gRPC or Beast give it. INVALID_ARGUMENT or UNAUTHENTICATED.
absl::StatusOr<PeerIdentity> IdentityOfPem(std::string_view pem);
absl::StatusOr<PeerIdentity> IdentityOfDer(std::string_view der);

}  // namespace reprise::trust
