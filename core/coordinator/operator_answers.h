// What each method of the operators' service does, without gRPC: a query reads the state and fills the answer; a command
// is made from the request, decided by the engine, and answered once it is durable. Who asks is known and permitted
// before any of these is called. On the loop's thread.
#pragma once

#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/engine/engine.h"
#include "core/trust/certificate_authority.h"
#include "reprise/operators/v1/operators.pb.h"

namespace reprise::coordinator {

class Loop;
class ProgressBoard;

// The site, as answers need it.
struct Site {
  const Clock& clock;
  Random& random;
  const trust::CertificateAuthority& authority;
  const Loop& loop;
  const ProgressBoard& progress;
  std::string version;
};

struct Asked {
  const Site& site;
  const engine::Engine& engine;
  const std::string& person;
};

using CommandRequest = decltype(engine::Command::request);
namespace ops = operators::v1;

// operator_hosts.cc
absl::Status GetStatus(const Asked& asked, const ops::Empty& request, ops::StatusView* view);
absl::Status ListHosts(const Asked& asked, const ops::ListHostsRequest& request, ops::HostList* list);
absl::Status GetHost(const Asked& asked, const ops::HostRequest& request, ops::HostView* view);
absl::Status GetCoverage(const Asked& asked, const ops::CoverageRequest& request, ops::CoverageView* view);
absl::Status ListRecoveryPoints(const Asked& asked, const ops::Empty& request, ops::RecoveryPointList* list);
absl::Status GetBoard(const Asked& asked, const ops::Empty& request, ops::BoardView* view);
absl::StatusOr<CommandRequest> MakeInventory(const Asked& asked, const ops::ImportInventoryRequest& request,
                                             ops::ImportInventoryResponse* response);
absl::Status AnswerInventory(const Asked& asked, const ops::ImportInventoryRequest& request,
                             const std::string& subject, ops::ImportInventoryResponse* response);
// Fills the response with the codes at once: only hashes go to the engine.
absl::StatusOr<CommandRequest> MakeTokens(const Asked& asked, const ops::IssueTokensRequest& request,
                                          ops::IssueTokensResponse* response);
absl::StatusOr<CommandRequest> MakeHostStatements(const Asked& asked, const ops::HostStatementsRequest& request,
                                                  ops::Empty* response);
absl::StatusOr<CommandRequest> MakeExpel(const Asked& asked, const ops::ExpelHostRequest& request, ops::HostView* view);
absl::Status AnswerExpel(const Asked& asked, const ops::ExpelHostRequest& request, const std::string& subject,
                         ops::HostView* view);

// operator_keys.cc
absl::Status GetKeyring(const Asked& asked, const ops::Empty& request, ops::KeyringView* view);
absl::StatusOr<CommandRequest> MakeKeyring(const Asked& asked, const ops::ExtendKeyringRequest& request,
                                           ops::KeyringView* view);
absl::Status AnswerKeyring(const Asked& asked, const ops::ExtendKeyringRequest& request, const std::string& subject,
                           ops::KeyringView* view);
absl::StatusOr<CommandRequest> MakeOperatorCertificate(const Asked& asked, const ops::CertifyOperatorRequest& request,
                                                       ops::CertifyOperatorResponse* response);

// operator_plans.cc
absl::Status ListBlobs(const Asked& asked, const ops::ListBlobsRequest& request, ops::BlobList* list);
absl::Status GetPlan(const Asked& asked, const ops::PlanRequest& request, ops::PlanView* view);
absl::Status ListPlans(const Asked& asked, const ops::Empty& request, ops::PlanList* list);
absl::StatusOr<CommandRequest> MakePlan(const Asked& asked, const ops::SubmitPlanRequest& request,
                                        ops::PlanView* view);
absl::Status AnswerPlan(const Asked& asked, const ops::SubmitPlanRequest& request, const std::string& subject,
                        ops::PlanView* view);
absl::StatusOr<CommandRequest> MakePlanSignature(const Asked& asked, const ops::SignPlanRequest& request,
                                                 ops::PlanView* view);
absl::Status AnswerPlanSignature(const Asked& asked, const ops::SignPlanRequest& request, const std::string& subject,
                                 ops::PlanView* view);

// operator_runs.cc
absl::Status ListRuns(const Asked& asked, const ops::ListRunsRequest& request, ops::RunList* list);
absl::Status GetRun(const Asked& asked, const ops::GetRunRequest& request, ops::RunView* view);
absl::Status ListGates(const Asked& asked, const ops::ListRunsRequest& request, ops::GateList* list);
absl::Status GetStop(const Asked& asked, const ops::Empty& request, ops::StopView* view);
absl::StatusOr<CommandRequest> MakeStart(const Asked& asked, const ops::StartRunRequest& request, ops::RunView* view);
absl::Status AnswerStart(const Asked& asked, const ops::StartRunRequest& request, const std::string& subject,
                         ops::RunView* view);
absl::StatusOr<CommandRequest> MakePause(const Asked& asked, const ops::ControlRunRequest& request, ops::RunView* view);
absl::StatusOr<CommandRequest> MakeResume(const Asked& asked, const ops::ControlRunRequest& request,
                                          ops::RunView* view);
absl::StatusOr<CommandRequest> MakeAbort(const Asked& asked, const ops::ControlRunRequest& request, ops::RunView* view);
absl::StatusOr<CommandRequest> MakeRetry(const Asked& asked, const ops::ControlRunRequest& request, ops::RunView* view);
absl::Status AnswerControl(const Asked& asked, const ops::ControlRunRequest& request, const std::string& subject,
                           ops::RunView* view);
absl::StatusOr<CommandRequest> MakeGateDecision(const Asked& asked, const ops::SignGateRequest& request,
                                                ops::GateView* view);
absl::Status AnswerGateDecision(const Asked& asked, const ops::SignGateRequest& request, const std::string& subject,
                                ops::GateView* view);
absl::StatusOr<CommandRequest> MakeStop(const Asked& asked, const ops::StopRequest& request, ops::StopView* view);
absl::StatusOr<CommandRequest> MakeLift(const Asked& asked, const ops::StopRequest& request, ops::StopView* view);
absl::Status AnswerStop(const Asked& asked, const ops::StopRequest& request, const std::string& subject,
                        ops::StopView* view);

// For commands whose answer is filled when they are made, or empty.
template <class Request, class Response>
absl::Status AnswerNothing(const Asked&, const Request&, const std::string&, Response*) {
  return absl::OkStatus();
}

}  // namespace reprise::coordinator
