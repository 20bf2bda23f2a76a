#include "core/coordinator/agent_service.h"

#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "core/coordinator/agent_stream.h"
#include "core/coordinator/blob_store.h"
#include "core/coordinator/fetch.h"
#include "core/coordinator/peer.h"
#include "core/coordinator/status.h"
#include "reprise/agent/v1/agent_service.grpc.pb.h"

namespace reprise::coordinator {
namespace {

using agent::v1::AgentBatch;
using agent::v1::CoordinatorBatch;

// Only hosts pass.
absl::StatusOr<std::string> HostOf(const grpc::CallbackServerContext& context) {
  auto peer = PeerOf(context);
  if (!peer.ok()) return peer.status();
  if (!peer->IsHost()) return absl::PermissionDeniedError(peer->Text() + " is not an agent");
  return peer->name;
}

template <class Reactor>
class Refusal final : public Reactor {
 public:
  explicit Refusal(const absl::Status& status) { this->Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

class AgentService final : public agent::v1::AgentService::CallbackService {
 public:
  explicit AgentService(AgentServiceParts parts) : parts_(std::move(parts)) {}

  grpc::ServerBidiReactor<AgentBatch, CoordinatorBatch>* Connect(grpc::CallbackServerContext* context) override {
    auto host = HostOf(*context);
    if (!host.ok()) return new Refusal<grpc::ServerBidiReactor<AgentBatch, CoordinatorBatch>>(host.status());
    return AgentStream::Start(*host, AddressOf(context->peer()), parts_.loop, parts_.sessions, parts_.side_talk);
  }

  grpc::ServerWriteReactor<agent::v1::FetchChunk>* Fetch(grpc::CallbackServerContext* context,
                                                         const agent::v1::FetchRequest* request) override {
    auto host = HostOf(*context);
    if (!host.ok()) return new Refusal<grpc::ServerWriteReactor<agent::v1::FetchChunk>>(host.status());
    auto blob = parts_.blobs.Open(request->sha256(), request->offset());
    if (!blob.ok()) return new Refusal<grpc::ServerWriteReactor<agent::v1::FetchChunk>>(blob.status());
    return StartFetch(*std::move(blob), parts_.throttle, parts_.workers);
  }

  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context, const agent::v1::RenewRequest* request,
                                  agent::v1::RenewResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    auto host = HostOf(*context);
    if (!host.ok()) {
      reactor->Finish(ToGrpc(host.status()));
      return reactor;
    }
    auto certificate = parts_.issue(*host, request->csr_pem());
    if (!certificate.ok()) {
      reactor->Finish(ToGrpc(certificate.status()));
      return reactor;
    }
    engine::EnrolRequested renewal;
    renewal.host = *host;
    renewal.certificate_sha256 = certificate->sha256;
    renewal.address = AddressOf(context->peer());
    parts_.loop.Enrol(std::move(renewal), [=, pem = std::move(certificate->pem)](const engine::Engine&,
                                                                                const engine::Reply& reply) {
      if (reply.status.ok()) response->set_certificate_pem(pem);
      reactor->Finish(ToGrpc(reply.status));
    });
    return reactor;
  }

 private:
  const AgentServiceParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAgentService(AgentServiceParts parts) {
  return std::make_unique<AgentService>(std::move(parts));
}

}  // namespace reprise::coordinator
