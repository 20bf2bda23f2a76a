#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/coordinator/operator_answers.h"
#include "core/coordinator/progress_board.h"
#include "core/model/statements.h"
#include "core/report/views.h"

namespace reprise::coordinator {
namespace {

absl::Status ShowRun(const Asked& asked, uint64_t id, bool with_targets, ops::RunView* view) {
  const journal::v1::RunRecord* run = asked.engine.FindRun(id);
  if (run == nullptr) return absl::NotFoundError(absl::StrCat("there is no run ", id, "; `reprise run ls` lists them"));
  *view = report::ViewOfRun(asked.engine, *run, with_targets, asked.site.clock.Now());
  if (with_targets) asked.site.progress.ShowIn(*view);
  return absl::OkStatus();
}

}  // namespace

absl::Status ListRuns(const Asked& asked, const ops::ListRunsRequest& request, ops::RunList* list) {
  for (const auto& run : asked.engine.state().runs()) {
    if (request.active_only() && run.ended_ms() != 0) continue;
    *list->add_runs() = report::ViewOfRun(asked.engine, run, /*with_targets=*/false, asked.site.clock.Now());
  }
  return absl::OkStatus();
}

absl::Status GetRun(const Asked& asked, const ops::GetRunRequest& request, ops::RunView* view) {
  return ShowRun(asked, request.run(), request.targets(), view);
}

absl::Status ListGates(const Asked& asked, const ops::ListRunsRequest& request, ops::GateList* list) {
  *list = report::ViewOfGates(asked.engine, request.active_only());
  return absl::OkStatus();
}

absl::Status GetStop(const Asked& asked, const ops::Empty&, ops::StopView* view) {
  *view = report::ViewOfStop(asked.engine.state().stop());
  return absl::OkStatus();
}

absl::StatusOr<CommandRequest> MakeStart(const Asked&, const ops::StartRunRequest& request, ops::RunView*) {
  return engine::Command::StartRun{request.plan_id()};
}

absl::Status AnswerStart(const Asked& asked, const ops::StartRunRequest&, const std::string& subject,
                         ops::RunView* view) {
  uint64_t run = 0;
  if (!absl::SimpleAtoi(subject, &run)) return absl::InternalError(absl::StrCat("no number of a run: ", subject));
  return ShowRun(asked, run, false, view);
}

absl::StatusOr<CommandRequest> MakePause(const Asked&, const ops::ControlRunRequest& request, ops::RunView*) {
  return engine::Command::Pause{request.run(), request.reason()};
}

absl::StatusOr<CommandRequest> MakeResume(const Asked&, const ops::ControlRunRequest& request, ops::RunView*) {
  return engine::Command::Resume{request.run()};
}

absl::StatusOr<CommandRequest> MakeAbort(const Asked&, const ops::ControlRunRequest& request, ops::RunView*) {
  return engine::Command::Abort{request.run(), request.reason()};
}

absl::StatusOr<CommandRequest> MakeRetry(const Asked&, const ops::ControlRunRequest& request, ops::RunView*) {
  return engine::Command::Retry{request.run()};
}

absl::Status AnswerControl(const Asked& asked, const ops::ControlRunRequest& request, const std::string&,
                           ops::RunView* view) {
  return ShowRun(asked, request.run(), false, view);
}

absl::StatusOr<CommandRequest> MakeGateDecision(const Asked&, const ops::SignGateRequest& request, ops::GateView*) {
  return request;
}

absl::Status AnswerGateDecision(const Asked& asked, const ops::SignGateRequest& request, const std::string&,
                                ops::GateView* view) {
  ASSIGN_OR_RETURN(const auto decision, model::GateStatement::Read(request.statement().statement()));
  const ops::GateList gates = report::ViewOfGates(asked.engine, /*active_only=*/false);
  for (const ops::GateView& gate : gates.gates()) {
    if (gate.run() == decision.run && gate.name() == decision.gate) {
      *view = gate;
      return absl::OkStatus();
    }
  }
  return absl::NotFoundError(absl::StrCat("run ", decision.run, " has no gate ", decision.gate));
}

absl::StatusOr<CommandRequest> MakeStop(const Asked&, const ops::StopRequest& request, ops::StopView*) {
  return engine::Command::RaiseStop{request.reason()};
}

absl::StatusOr<CommandRequest> MakeLift(const Asked&, const ops::StopRequest& request, ops::StopView*) {
  return engine::Command::LiftStop{request.reason()};
}

absl::Status AnswerStop(const Asked& asked, const ops::StopRequest&, const std::string&, ops::StopView* view) {
  return GetStop(asked, {}, view);
}

}  // namespace reprise::coordinator
