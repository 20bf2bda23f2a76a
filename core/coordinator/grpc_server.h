// The port of agents and operators: gRPC over TLS 1.3, a client certificate of this site's authority demanded in the
// handshake, so that nobody unknown reaches the HTTP/2 parser. Health for everybody who has one; reflection too.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/coordinator/acceptor.h"

namespace grpc {
class Service;
}

namespace reprise::coordinator {

struct GrpcServerOptions {
  std::string key;                // PEM, of the server
  std::string certificate_chain;  // PEM
  std::string authority;          // PEM: who signs clients' certificates.
};

class GrpcServer {
 public:
  // The services outlive it.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(std::unique_ptr<Acceptor> acceptor,
                                                           const GrpcServerOptions& options,
                                                           const std::vector<grpc::Service*>& services);
  // Ends every call and waits for it.
  ~GrpcServer();

  const Acceptor& acceptor() const;

 private:
  struct Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reprise::coordinator
