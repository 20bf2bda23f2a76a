#include "core/coordinator/agent_service.h"

#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/coordinator/agent_stream.h"
#include "core/coordinator/blob_store.h"
#include "core/coordinator/doorkeeper.h"
#include "core/coordinator/fetch.h"
#include "core/coordinator/peer.h"
#include "core/coordinator/status.h"
#include "reprise/agent/v1/agent_service.grpc.pb.h"

namespace reprise::coordinator {
namespace {

using agent::v1::AgentBatch;
using agent::v1::CoordinatorBatch;

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
    auto caller = CallerOf(*context);
    const absl::Status may = caller.ok() ? parts_.doorkeeper.TakeSession(caller->host) : caller.status();
    if (!may.ok()) return new Refusal<grpc::ServerBidiReactor<AgentBatch, CoordinatorBatch>>(may);
    return AgentStream::Start(*std::move(caller), parts_.loop, parts_.sessions, parts_.side_talk);
  }

  grpc::ServerWriteReactor<agent::v1::FetchChunk>* Fetch(grpc::CallbackServerContext* context,
                                                         const agent::v1::FetchRequest* request) override {
    const auto caller = CallerOf(*context);
    if (!caller.ok()) return new Refusal<grpc::ServerWriteReactor<agent::v1::FetchChunk>>(caller.status());
    auto blob = parts_.blobs.Open(request->sha256(), request->offset());
    if (!blob.ok()) return new Refusal<grpc::ServerWriteReactor<agent::v1::FetchChunk>>(blob.status());
    return StartFetch(*std::move(blob), parts_.throttle, parts_.workers);
  }

  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context, const agent::v1::RenewRequest* request,
                                  agent::v1::RenewResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    auto caller = CallerOf(*context);
    const absl::Status may = caller.ok() ? parts_.doorkeeper.TakeRenewal(caller->host) : caller.status();
    if (!may.ok()) {
      reactor->Finish(ToGrpc(may));
      return reactor;
    }
    auto certificate = parts_.issue(caller->host, request->csr_pem());
    if (!certificate.ok()) {
      reactor->Finish(ToGrpc(certificate.status()));
      return reactor;
    }
    engine::EnrolRequested renewal;
    renewal.host = caller->host;
    renewal.certificate_sha256 = certificate->sha256;
    renewal.address = caller->address;
    renewal.certificate_valid_from = certificate->valid_from;
    renewal.shown = caller->certificate;
    parts_.loop.Enrol(std::move(renewal), [=, pem = std::move(certificate->pem)](const engine::Engine&,
                                                                                const engine::Reply& reply) {
      if (reply.status.ok()) response->set_certificate_pem(pem);
      reactor->Finish(ToGrpc(reply.status));
    });
    return reactor;
  }

 private:
  // Only hosts pass, and only by a certificate that is good now.
  absl::StatusOr<AgentCaller> CallerOf(const grpc::CallbackServerContext& context) {
    ASSIGN_OR_RETURN(const trust::PeerIdentity peer, PeerOf(context));
    if (!peer.IsHost()) return absl::PermissionDeniedError(peer.Text() + " is not an agent");
    AgentCaller caller{peer.name, {"", peer.valid_from}, AddressOf(context.peer())};
    ASSIGN_OR_RETURN(caller.certificate.sha256, FromHex(peer.fingerprint));
    RETURN_IF_ERROR(parts_.doorkeeper.Check(caller.host, caller.certificate));
    return caller;
  }

  const AgentServiceParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAgentService(AgentServiceParts parts) {
  return std::make_unique<AgentService>(std::move(parts));
}

}  // namespace reprise::coordinator
