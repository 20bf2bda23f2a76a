// Keys for TLS and the requests that turn them into certificates; for operators' profiles and for the coordinator's own
// server. (Agents have the same in agents/daemon.) Everything is PEM; private keys are in clear: write them with mode
// 0600 and never log them.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise::trust {

// A new ECDSA P-256 key.
absl::StatusOr<std::string> NewKey();

// A request for a certificate with this key, signed by it. The name in it is only for people who look at the file:
// the authority takes the name from whoever presents the request. INVALID_ARGUMENT: not a key.
absl::StatusOr<std::string> NewRequest(std::string_view key_pem, std::string_view common_name);

// UNAUTHENTICATED: the certificate is for another key. INVALID_ARGUMENT: not PEM.
absl::Status CheckKeyBelongs(std::string_view key_pem, std::string_view certificate_pem);

}  // namespace reprise::trust
