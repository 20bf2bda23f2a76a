// Who is at the other end of a call: read from the client certificate that TLS demanded and verified.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/trust/certificate.h"

namespace grpc {
class ServerContextBase;
}

namespace reprise::coordinator {

// UNAUTHENTICATED: no certificate, or none of ours.
absl::StatusOr<trust::PeerIdentity> PeerOf(const grpc::ServerContextBase& context);
// As gRPC writes it, "ipv4:10.0.0.1:4711", made plain: "10.0.0.1".
std::string AddressOf(const std::string& grpc_peer);

}  // namespace reprise::coordinator
