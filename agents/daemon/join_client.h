// The one HTTPS request with which a host that nobody knows yet becomes one that is enrolled. The server is believed
// only when the certificate authority that the join code names is in the chain that it presents, and has signed its own
// certificate; nothing is sent before that is so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::daemon {

struct JoinRequest {
  std::string address;         // HOST:PORT of the join port.
  std::string ca_fingerprint;  // Lower-case hex SHA-256 of its DER.
  std::string host;
  std::string secret;
  std::string csr;  // PEM
};

struct JoinReply {
  std::string certificate;  // PEM
  std::string ca;           // PEM: the one that was found in the chain.
  std::vector<plan::v1::SignedStatement> keyring;
  std::string coordinator;  // HOST:PORT; empty when the server did not say.
  uint64_t statement_serial = 0;  // Of the newest host statement that is not in force any more; 0: there is none.
};

// UNAUTHENTICATED: not the coordinator of the join code; PERMISSION_DENIED: it refuses the code; UNAVAILABLE: nobody
// there.
absl::StatusOr<JoinReply> Join(const JoinRequest& request);

// REQUIRES: nothing; a reply may be anything.
absl::StatusOr<JoinReply> ReadJoinReply(const std::string& body);

}  // namespace reprise::daemon
