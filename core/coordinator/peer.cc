#include "core/coordinator/peer.h"

#include <grpcpp/grpcpp.h>

namespace reprise::coordinator {

absl::StatusOr<trust::PeerIdentity> PeerOf(const grpc::ServerContextBase& context) {
  const auto auth = context.auth_context();
  if (!auth || !auth->IsPeerAuthenticated()) return absl::UnauthenticatedError("no client certificate");
  const auto pem = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pem.size() != 1) return absl::UnauthenticatedError("no client certificate");
  return trust::IdentityOfPem(std::string(pem[0].data(), pem[0].size()));
}

std::string AddressOf(const std::string& grpc_peer) {
  const size_t kind = grpc_peer.find(':');
  const size_t port = grpc_peer.rfind(':');
  if (kind == std::string::npos || port <= kind) return grpc_peer;
  std::string address = grpc_peer.substr(kind + 1, port - kind - 1);
  // "%5B::1%5D" is how gRPC 1.51 writes "[::1]".
  for (const auto& [code, text] : {std::pair("%5B", ""), std::pair("%5D", "")}) {
    if (const size_t at = address.find(code); at != std::string::npos) address.replace(at, 3, text);
  }
  return address;
}

}  // namespace reprise::coordinator
