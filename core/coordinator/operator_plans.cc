#include "absl/strings/str_cat.h"
#include "core/coordinator/operator_answers.h"
#include "core/report/views.h"

namespace reprise::coordinator {
namespace {

absl::Status ShowPlan(const Asked& asked, const std::string& id, bool with_bundle, ops::PlanView* view) {
  for (const auto& plan : asked.engine.state().plans()) {
    if (plan.plan_id() != id) continue;
    *view = report::ViewOfPlan(asked.engine, plan, with_bundle);
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("there is no plan ", id, "; `reprise plan --submit` hands one in"));
}

}  // namespace

absl::Status ListBlobs(const Asked& asked, const ops::ListBlobsRequest& request, ops::BlobList* list) {
  for (const auto& blob : asked.engine.state().blobs()) {
    if (request.kind().empty() || request.kind() == blob.kind()) *list->add_blobs() = blob;
  }
  return absl::OkStatus();
}

absl::Status GetPlan(const Asked& asked, const ops::PlanRequest& request, ops::PlanView* view) {
  return ShowPlan(asked, request.plan_id(), /*with_bundle=*/true, view);
}

absl::Status ListPlans(const Asked& asked, const ops::Empty&, ops::PlanList* list) {
  for (const auto& plan : asked.engine.state().plans()) {
    *list->add_plans() = report::ViewOfPlan(asked.engine, plan, /*with_bundle=*/false);
  }
  return absl::OkStatus();
}

absl::StatusOr<CommandRequest> MakePlan(const Asked&, const ops::SubmitPlanRequest& request, ops::PlanView*) {
  return request;
}

absl::Status AnswerPlan(const Asked& asked, const ops::SubmitPlanRequest&, const std::string& subject,
                        ops::PlanView* view) {
  return ShowPlan(asked, subject, false, view);
}

absl::StatusOr<CommandRequest> MakePlanSignature(const Asked&, const ops::SignPlanRequest& request, ops::PlanView*) {
  return engine::Command::SignPlan{request.plan_id(), request.signature()};
}

absl::Status AnswerPlanSignature(const Asked& asked, const ops::SignPlanRequest&, const std::string& subject,
                                 ops::PlanView* view) {
  return ShowPlan(asked, subject, false, view);
}

}  // namespace reprise::coordinator
