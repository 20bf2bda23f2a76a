#include "core/coordinator/operator_service.h"

#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "core/coordinator/grpc_feed.h"
#include "core/coordinator/journal_feed.h"
#include "core/coordinator/loop.h"
#include "core/coordinator/peer.h"
#include "core/coordinator/permissions.h"
#include "core/coordinator/preview_broker.h"
#include "core/coordinator/run_watch.h"
#include "core/coordinator/upload.h"
#include "reprise/operators/v1/operators_service.grpc.pb.h"

namespace reprise::coordinator {
namespace {

using Context = grpc::CallbackServerContext;
using Unary = grpc::ServerUnaryReactor;

absl::StatusOr<std::string> PersonOf(const Context& context) {
  auto peer = PeerOf(context);
  if (!peer.ok()) return peer.status();
  if (!peer->IsOperator()) return absl::PermissionDeniedError(peer->Text() + " is not an operator");
  return peer->name;
}

class RefusedUpload final : public grpc::ServerReadReactor<operators::v1::BlobUpload> {
 public:
  explicit RefusedUpload(const absl::Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

class OperatorService final : public operators::v1::OperatorService::CallbackService {
 public:
  explicit OperatorService(OperatorServiceParts parts) : parts_(std::move(parts)) {}

  // One row per method: a query gives one function, a command two.
#define REPRISE_QUERY(Method, Request, Response, answer)                                             \
  Unary* Method(Context* context, const ops::Request* request, ops::Response* response) override {   \
    return Query(context, #Method, request, response, answer);                                       \
  }
#define REPRISE_COMMAND(Method, Request, Response, make, answer)                                     \
  Unary* Method(Context* context, const ops::Request* request, ops::Response* response) override {   \
    return Command(context, #Method, request, response, make, answer);                               \
  }

  REPRISE_QUERY(GetStatus, Empty, StatusView, coordinator::GetStatus)
  REPRISE_COMMAND(ImportInventory, ImportInventoryRequest, ImportInventoryResponse, MakeInventory, AnswerInventory)
  REPRISE_QUERY(ListHosts, ListHostsRequest, HostList, coordinator::ListHosts)
  REPRISE_QUERY(GetHost, HostRequest, HostView, coordinator::GetHost)
  REPRISE_COMMAND(IssueTokens, IssueTokensRequest, IssueTokensResponse, MakeTokens, AnswerNothing)
  REPRISE_COMMAND(RecordHostStatements, HostStatementsRequest, Empty, MakeHostStatements, AnswerNothing)
  REPRISE_COMMAND(ExpelHost, ExpelHostRequest, HostView, MakeExpel, AnswerExpel)
  REPRISE_QUERY(GetCoverage, CoverageRequest, CoverageView, coordinator::GetCoverage)
  REPRISE_QUERY(ListRecoveryPoints, Empty, RecoveryPointList, coordinator::ListRecoveryPoints)
  REPRISE_QUERY(GetBoard, Empty, BoardView, coordinator::GetBoard)
  REPRISE_QUERY(GetKeyring, Empty, KeyringView, coordinator::GetKeyring)
  REPRISE_COMMAND(ExtendKeyring, ExtendKeyringRequest, KeyringView, MakeKeyring, AnswerKeyring)
  REPRISE_COMMAND(CertifyOperator, CertifyOperatorRequest, CertifyOperatorResponse, MakeOperatorCertificate,
                  AnswerNothing)
  REPRISE_QUERY(ListBlobs, ListBlobsRequest, BlobList, coordinator::ListBlobs)
  REPRISE_COMMAND(SubmitPlan, SubmitPlanRequest, PlanView, MakePlan, AnswerPlan)
  REPRISE_COMMAND(SignPlan, SignPlanRequest, PlanView, MakePlanSignature, AnswerPlanSignature)
  REPRISE_QUERY(GetPlan, PlanRequest, PlanView, coordinator::GetPlan)
  REPRISE_QUERY(ListPlans, Empty, PlanList, coordinator::ListPlans)
  REPRISE_COMMAND(StartRun, StartRunRequest, RunView, MakeStart, AnswerStart)
  REPRISE_QUERY(ListRuns, ListRunsRequest, RunList, coordinator::ListRuns)
  REPRISE_QUERY(GetRun, GetRunRequest, RunView, coordinator::GetRun)
  REPRISE_COMMAND(PauseRun, ControlRunRequest, RunView, MakePause, AnswerControl)
  REPRISE_COMMAND(ResumeRun, ControlRunRequest, RunView, MakeResume, AnswerControl)
  REPRISE_COMMAND(AbortRun, ControlRunRequest, RunView, MakeAbort, AnswerControl)
  REPRISE_COMMAND(RetryRun, ControlRunRequest, RunView, MakeRetry, AnswerControl)
  REPRISE_QUERY(ListGates, ListRunsRequest, GateList, coordinator::ListGates)
  REPRISE_COMMAND(SignGate, SignGateRequest, GateView, MakeGateDecision, AnswerGateDecision)
  REPRISE_COMMAND(RaiseStop, StopRequest, StopView, MakeStop, AnswerStop)
  REPRISE_COMMAND(LiftStop, StopRequest, StopView, MakeLift, AnswerStop)
  REPRISE_QUERY(GetStop, Empty, StopView, coordinator::GetStop)
#undef REPRISE_QUERY
#undef REPRISE_COMMAND

  grpc::ServerReadReactor<ops::BlobUpload>* UploadBlob(Context* context, ops::BlobList* response) override {
    auto person = PersonOf(*context);
    if (!person.ok()) return new RefusedUpload(person.status());
    return StartUpload(*std::move(person), parts_.loop, parts_.blobs, parts_.workers, response);
  }

  grpc::ServerWriteReactor<ops::HostPreview>* PreviewPlan(Context* context,
                                                          const ops::PreviewPlanRequest* request) override {
    // Reading a great plan takes a while: not here.
    return Stream<ops::HostPreview>(context, "PreviewPlan", [this, request = *request](auto feed) {
      parts_.workers.Run([this, request, feed] { parts_.previews.Start(request, feed); });
    });
  }

  grpc::ServerWriteReactor<ops::RunView>* WatchRun(Context* context, const ops::GetRunRequest* request) override {
    return Stream<ops::RunView>(context, "WatchRun",
                                [this, request = *request](auto feed) { parts_.watch.Start(request, feed); });
  }

  grpc::ServerWriteReactor<ops::JournalRecord>* ReadJournal(Context* context,
                                                            const ops::ReadJournalRequest* request) override {
    return Stream<ops::JournalRecord>(context, "ReadJournal", [this, request = *request](auto feed) {
      StartJournalFeed(parts_.journal, request, parts_.loop, parts_.workers, feed);
    });
  }

 private:
  template <class Request, class Response>
  using Answer = absl::Status (*)(const Asked&, const Request&, Response*);
  template <class Request, class Response>
  using Make = absl::StatusOr<CommandRequest> (*)(const Asked&, const Request&, Response*);
  template <class Request, class Response>
  using Then = absl::Status (*)(const Asked&, const Request&, const std::string&, Response*);

  // Request and response live until the reactor is finished.
  template <class Request, class Response>
  Unary* Query(Context* context, const char* method, const Request* request, Response* response,
               Answer<Request, Response> answer) {
    Unary* reactor = context->DefaultReactor();
    auto person = PersonOf(*context);
    if (!person.ok()) return Refuse(reactor, person.status());
    parts_.loop.Query([=, this, person = *std::move(person)](const engine::Engine& engine) {
      absl::Status status = CheckPermission(engine.keyring(), person, method);
      if (status.ok()) status = answer({parts_.site, engine, person}, *request, response);
      reactor->Finish(ToGrpc(status));
    });
    return reactor;
  }

  template <class Request, class Response>
  Unary* Command(Context* context, const char* method, const Request* request, Response* response,
                 Make<Request, Response> make, Then<Request, Response> then) {
    Unary* reactor = context->DefaultReactor();
    auto person = PersonOf(*context);
    if (!person.ok()) return Refuse(reactor, person.status());
    parts_.loop.Query([=, this, person = *std::move(person)](const engine::Engine& engine) {
      absl::Status permitted = CheckPermission(engine.keyring(), person, method);
      if (!permitted.ok()) {
        spdlog::warn("operator {}: {} refused: {}", person, method, std::string(permitted.message()));
        return reactor->Finish(ToGrpc(permitted));
      }
      auto made = make({parts_.site, engine, person}, *request, response);
      if (!made.ok()) return reactor->Finish(ToGrpc(made.status()));
      engine::Command command;
      command.operator_name = person;
      command.request = *std::move(made);
      parts_.loop.Call(std::move(command), [=, this](const engine::Engine& engine, const engine::Reply& reply) {
        absl::Status status = reply.status;
        spdlog::info("operator {}: {}: {}", person, method, status.ok() ? reply.subject : ToGrpc(status).error_message());
        if (status.ok()) status = then({parts_.site, engine, person}, *request, reply.subject, response);
        reactor->Finish(ToGrpc(status));
      });
    });
    return reactor;
  }

  template <class Message, class Begin>
  grpc::ServerWriteReactor<Message>* Stream(Context* context, const char* method, Begin begin) {
    const auto feed = GrpcFeed<Message>::Make();
    auto person = PersonOf(*context);
    if (!person.ok()) {
      feed->End(person.status());
      return feed.get();
    }
    parts_.loop.Query([=, person = *std::move(person)](const engine::Engine& engine) {
      absl::Status permitted = CheckPermission(engine.keyring(), person, method);
      permitted.ok() ? begin(std::static_pointer_cast<Feed<Message>>(feed)) : feed->End(permitted);
    });
    return feed.get();
  }

  static Unary* Refuse(Unary* reactor, const absl::Status& status) {
    reactor->Finish(ToGrpc(status));
    return reactor;
  }

  const OperatorServiceParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeOperatorService(OperatorServiceParts parts) {
  return std::make_unique<OperatorService>(std::move(parts));
}

}  // namespace reprise::coordinator
