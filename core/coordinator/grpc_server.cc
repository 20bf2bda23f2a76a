#include "core/coordinator/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <utility>

#include "core/coordinator/service_descriptors.h"

namespace reprise::coordinator {
namespace {

constexpr int kMessageBytesMax = 256 << 20;  // A plan for a great site is one message.
constexpr int kMetadataBytesMax = 16 << 10;
constexpr int kHandshakeMs = 10'000;
constexpr auto kGoodbye = std::chrono::milliseconds(500);

// This gRPC cannot be told the least TLS version. It can be told the ciphers of TLS 1.2, which do not touch those of
// TLS 1.3: one that needs a pre-shared key, which nobody has, leaves only the latter.
constexpr char kNoCipherOfTls12[] = "ECDHE-PSK-CHACHA20-POLY1305";

std::shared_ptr<grpc::ServerCredentials> Credentials(const GrpcServerOptions& options) {
  setenv("GRPC_SSL_CIPHER_SUITES", kNoCipherOfTls12, 1);
  grpc::SslServerCredentialsOptions ssl(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  ssl.pem_root_certs = options.authority;
  ssl.pem_key_cert_pairs.push_back({options.key, options.certificate_chain});
  return grpc::SslServerCredentials(ssl);
}

}  // namespace

struct GrpcServer::Impl {
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> external;
  std::unique_ptr<grpc::Server> server;
};

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(std::unique_ptr<Acceptor> acceptor,
                                                              const GrpcServerOptions& options,
                                                              const std::vector<grpc::Service*>& services) {
  gpr_set_log_function([](gpr_log_func_args* said) { spdlog::debug("grpc: {}", said->message); });
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  DescribeAgentService();
  DescribeOperatorService();
  auto impl = std::make_unique<Impl>();
  impl->acceptor = std::move(acceptor);
  grpc::ServerBuilder builder;
  impl->external = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, Credentials(options));
  for (grpc::Service* service : services) builder.RegisterService(service);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.SetMaxSendMessageSize(kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  // Agents ping every 30 s, also while nothing is said; a peer that does not answer is gone.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 20'000);
  // Only reflection is of the kind that keeps a thread.
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
  impl->server = builder.BuildAndStart();
  if (!impl->server) return absl::InternalError("gRPC does not start; is the server's certificate its key's?");
  impl->acceptor->Start([external = impl->external.get()](int listener, int connection) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listener;
    parameters.fd = connection;
    external->HandleNewConnection(&parameters);
  });
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

GrpcServer::~GrpcServer() {
  impl_->acceptor->Stop();
  impl_->server->Shutdown(std::chrono::system_clock::now() + kGoodbye);
  impl_->server->Wait();
}

const Acceptor& GrpcServer::acceptor() const { return *impl_->acceptor; }

}  // namespace reprise::coordinator
