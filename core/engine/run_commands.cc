#include "core/engine/run_commands.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "core/engine/gate_record.h"
#include "core/engine/sessions.h"
#include "core/model/authorization.h"
#include "core/model/names.h"
#include "core/model/size_limits.h"

namespace reprise::engine {
namespace {

using journal::v1::Event;
using journal::v1::TargetRecord;

constexpr char kStopInForce[] = "an emergency stop is in force; lift it first: `reprise stop lift`";

// Where a failed target starts again: nothing if the plan allows it no further try. Where undoing failed, nobody knows
// whether the step is still done: first the undoing must come to its end.
std::optional<uint32_t> StepToRetry(const StageBook& stage, const TargetRecord& target) {
  if (target.state() == model::v1::TARGET_STATE_FAILED && target.rollback()) return target.step();
  for (uint32_t s = 0; s < static_cast<uint32_t>(stage.plan->steps_size()); ++s) {
    const journal::v1::StepRecord* record = FindStep(target, s);
    if (record != nullptr && record->done()) continue;
    const uint32_t most = stage.plan->steps(static_cast<int>(s)).attempts_max();
    if (record != nullptr && most > 0 && record->attempts() >= most) return std::nullopt;
    return s;
  }
  return std::nullopt;
}

bool MayBeRetried(const TargetRecord& target) {
  return target.state() == model::v1::TARGET_STATE_FAILED || target.state() == model::v1::TARGET_STATE_ROLLED_BACK;
}

}  // namespace

absl::StatusOr<RunBook*> RunCommands::ActiveRun(uint64_t id) {
  RunBook* run = desk_.book().FindRun(id);
  if (run == nullptr) return absl::NotFoundError(absl::StrCat("there is no run ", id));
  if (!IsActive(run->record->state())) {
    return absl::FailedPreconditionError(absl::StrCat("run ", id, " has ended: ", model::NameOf(run->record->state())));
  }
  return run;
}

Answer RunCommands::Do(const std::string&, const Command::StartRun& request) {
  const auto* plan = desk_.book().FindPlanRecord(request.plan_id);
  if (plan == nullptr) return {absl::NotFoundError(absl::StrCat("there is no plan ", request.plan_id))};
  if (desk_.stopped()) return {absl::FailedPreconditionError(kStopInForce)};
  for (const auto& run : desk_.book().runs()) {
    if (run->record->plan_id() != request.plan_id) continue;
    return {absl::FailedPreconditionError(absl::StrCat("plan ", request.plan_id, " has its run already, run ", run->id,
                                                       ": retry it, or make a new plan"))};
  }
  plan::v1::SignedStatement statement;
  statement.set_statement(plan->bundle().statement());
  *statement.mutable_signatures() = plan->signatures();
  const auto checked = model::CheckPlan(*desk_.keyring(), statement, plan->bundle().header(), desk_.now());
  if (!checked.ok()) return {checked.status()};
  const uint64_t id = desk_.book().runs().size() + 1;
  Event event;
  event.mutable_run_started()->set_run(id);
  event.mutable_run_started()->set_plan_id(request.plan_id);
  desk_.Emit(std::move(event));
  return {absl::OkStatus(), absl::StrCat(id)};
}

Answer RunCommands::Do(const std::string&, const Command::Pause& request) {
  if (auto status = model::CheckReason("the reason to pause", request.reason); !status.ok()) return {status};
  const auto run = ActiveRun(request.run);
  if (!run.ok()) return {run.status()};
  if ((*run)->record->state() == model::v1::RUN_STATE_PAUSED) return {absl::OkStatus(), absl::StrCat(request.run)};
  if ((*run)->record->state() == model::v1::RUN_STATE_ABORTING) {
    return {absl::FailedPreconditionError(absl::StrCat("run ", request.run, " is being aborted"))};
  }
  progress_.Pause(**run, "operator", request.reason);
  return {absl::OkStatus(), absl::StrCat(request.run)};
}

Answer RunCommands::Do(const std::string&, const Command::Resume& request) {
  const auto run = ActiveRun(request.run);
  if (!run.ok()) return {run.status()};
  if (desk_.stopped()) return {absl::FailedPreconditionError(kStopInForce)};
  if ((*run)->record->state() != model::v1::RUN_STATE_PAUSED) {
    return {absl::FailedPreconditionError(
        absl::StrCat("run ", request.run, " is not paused: ", model::NameOf((*run)->record->state())))};
  }
  Event event;
  event.mutable_run_resumed()->set_run(request.run);
  desk_.Emit(std::move(event));
  return {absl::OkStatus(), absl::StrCat(request.run)};
}

Answer RunCommands::Do(const std::string&, const Command::Abort& request) {
  if (auto status = model::CheckReason("the reason to abort", request.reason); !status.ok()) return {status};
  const auto found = ActiveRun(request.run);
  if (!found.ok()) return {found.status()};
  RunBook& run = **found;
  if (run.record->state() == model::v1::RUN_STATE_ABORTING) return {absl::OkStatus(), absl::StrCat(request.run)};
  Event event;
  event.mutable_run_aborting()->set_run(request.run);
  event.mutable_run_aborting()->set_reason(request.reason);
  desk_.Emit(std::move(event));
  for (uint32_t s = 0; s < run.stages.size(); ++s) {
    for (uint32_t t = 0; t < run.stages[s].hosts.size(); ++t) {
      if (IsInFlight(run.Target(s, t).task())) {
        dispatcher_.SendCancel(run, {run.id, s, t}, absl::StrCat("the run is aborted: ", request.reason));
      }
    }
  }
  return {absl::OkStatus(), absl::StrCat(request.run)};
}

Answer RunCommands::Do(const std::string&, const Command::Retry& request) {
  RunBook* run = desk_.book().FindRun(request.run);
  if (run == nullptr) return {absl::NotFoundError(absl::StrCat("there is no run ", request.run))};
  const auto state = run->record->state();
  if (state == model::v1::RUN_STATE_ABORTING || state == model::v1::RUN_STATE_ABORTED) {
    return {absl::FailedPreconditionError(
        absl::StrCat("run ", request.run, " was aborted: make a new plan for what is left"))};
  }
  if (dispatcher_.IsExpired(*run)) {
    return {absl::FailedPreconditionError(absl::StrCat("the plan of run ", request.run, " expired at ",
                                                       FormatTime(run->plan->statement.expires), ": make a new one"))};
  }
  if (desk_.stopped()) return {absl::FailedPreconditionError(kStopInForce)};
  Event event;
  auto& retried = *event.mutable_run_retried();
  retried.set_run(request.run);
  retried.set_round(run->record->round() + 1);
  std::vector<std::vector<bool>> chosen(run->stages.size());
  uint32_t exhausted = 0;
  const auto choose = [&](uint32_t s, uint32_t t, uint32_t step) {
    chosen[s][t] = true;
    auto* ref = retried.add_targets();
    ref->set_stage(s);
    ref->set_host(run->Target(s, t).host());
    ref->set_step(step);
    const TargetRecord& target = run->Target(s, t);
    ref->set_rollback(target.state() == model::v1::TARGET_STATE_FAILED && target.rollback());
  };
  for (uint32_t s = 0; s < run->stages.size(); ++s) {
    const StageBook& stage = run->stages[s];
    chosen[s].assign(stage.hosts.size(), false);
    for (uint32_t t = 0; t < stage.hosts.size(); ++t) {
      if (!MayBeRetried(run->Target(s, t))) continue;
      if (const auto step = StepToRetry(stage, run->Target(s, t))) {
        choose(s, t, *step);
      } else {
        exhausted += 1;
      }
    }
  }
  // Those that were left out only because of a failure that is now tried again.
  for (uint32_t s = 0; s < run->stages.size(); ++s) {
    const StageBook& stage = run->stages[s];
    for (uint32_t t = 0; t < stage.hosts.size(); ++t) {
      const TargetRecord& target = run->Target(s, t);
      if (target.state() != model::v1::TARGET_STATE_SKIPPED) continue;
      bool again = true;
      for (const uint32_t before : stage.ancestors) {
        const int64_t up = run->stages[before].target_of_leaf[target.host()];
        if (up < 0) continue;
        const auto up_state = run->Target(before, static_cast<uint32_t>(up)).state();
        const bool may_succeed = !IsEnded(up_state) || up_state == model::v1::TARGET_STATE_SUCCEEDED ||
                                 up_state == model::v1::TARGET_STATE_SKIPPED || chosen[before][static_cast<size_t>(up)];
        again = again && may_succeed;
      }
      if (again) choose(s, t, 0);
    }
  }
  if (retried.targets().empty()) {
    return {absl::FailedPreconditionError(absl::StrCat(
        "nothing of run ", request.run, " can be tried again",
        exhausted > 0 ? absl::StrCat(": ", exhausted, " host(s) used up all attempts that the plan allows") : ""))};
  }
  desk_.Emit(std::move(event));
  return {absl::OkStatus(), absl::StrCat(request.run)};
}

Answer RunCommands::Do(const std::string&, const operators::v1::SignGateRequest& request) {
  const auto statement = model::GateStatement::Read(request.statement().statement());
  if (!statement.ok()) return {statement.status()};
  if (auto status = model::CheckReason("the reason of the decision", statement->reason); !status.ok()) return {status};
  const auto found = ActiveRun(statement->run);
  if (!found.ok()) return {found.status()};
  RunBook& run = **found;
  const auto& gates = run.record->gates();
  const auto gate =
      std::find_if(gates.begin(), gates.end(), [&](const auto& known) { return known.name() == statement->gate; });
  if (gate == gates.end()) {
    return {absl::NotFoundError(absl::StrCat("run ", run.id, " has no gate ", statement->gate))};
  }
  if (request.statement().signatures_size() != 1) {
    return {absl::InvalidArgumentError("a gate's decision bears one signature, of the person who decides")};
  }
  if (gate->state() == model::v1::GATE_STATE_LOCKED) {
    return {absl::FailedPreconditionError(
        absl::StrCat("gate ", gate->name(), " is locked: what it waits for is not done; decide when it is ready"))};
  }
  if (gate->state() != model::v1::GATE_STATE_READY) {
    return {absl::FailedPreconditionError(
        absl::StrCat("gate ", gate->name(), " is open already: ", model::NameOf(gate->state())))};
  }
  const plan::v1::Stage& stage = *run.stages[gate->stage()].plan;
  const plan::v1::Gate& plan = gate->wave() < 0 ? stage.gate() : stage.waves(gate->wave()).gate();
  const auto signer =
      model::CheckGateDecision(*desk_.keyring(), run.plan->statement, plan, run.id, request.statement(), desk_.now());
  if (!signer.ok()) return {signer.status()};
  const auto open = [&] {
    const auto verdict = model::CheckGate(*desk_.keyring(), run.plan->statement, plan, run.id,
                                          {gate->decisions().begin(), gate->decisions().end()}, desk_.now());
    if (!verdict.ok()) return false;
    Event opened;
    opened.mutable_gate_opened()->set_run(run.id);
    opened.mutable_gate_opened()->set_stage(gate->stage());
    opened.mutable_gate_opened()->set_wave(gate->wave());
    opened.mutable_gate_opened()->set_gate(gate->name());
    opened.mutable_gate_opened()->set_state(verdict->state);
    desk_.Emit(std::move(opened));
    return true;
  };
  const auto counts = [&](const plan::v1::SignedStatement& before) {
    return model::CheckGateDecision(*desk_.keyring(), run.plan->statement, plan, run.id, before, desk_.now()).ok();
  };
  if (const auto* before = FindDecision(*gate, *statement, counts)) {
    // Nothing is added. But others may have decided, or counted again, since.
    if (open() || before->statement() == request.statement().statement()) return {absl::OkStatus(), gate->name()};
    return {absl::AlreadyExistsError(absl::StrCat(*signer, " has decided gate ", gate->name(),
                                                  " so already, and that counts: it waits for others"))};
  }
  if (auto status = CheckRoom(*run.record, request.statement()); !status.ok()) return {status};
  Event event;
  event.mutable_gate_signed()->set_run(run.id);
  event.mutable_gate_signed()->set_gate(gate->name());
  event.mutable_gate_signed()->set_signer(*signer);
  *event.mutable_gate_signed()->mutable_statement() = request.statement();
  desk_.Emit(std::move(event));
  open();
  return {absl::OkStatus(), gate->name()};
}

// ---- the emergency stop ----

// Beyond what any agent has heard of: a coordinator that was restored from an older copy must be believed too.
uint64_t RunCommands::NextStopSerial() const {
  const journal::v1::StopRecord& stop = desk_.book().state().stop();
  return std::max(stop.serial(), stop.seen_serial()) + 1;
}

Answer RunCommands::Do(const std::string&, const Command::RaiseStop& request) {
  if (auto status = model::CheckReason("the reason of the stop", request.reason); !status.ok()) return {status};
  if (!desk_.stopped()) {
    Event event;
    event.mutable_stop_raised()->set_serial(NextStopSerial());
    event.mutable_stop_raised()->set_reason(request.reason);
    desk_.Emit(std::move(event));
    for (const auto& run : desk_.book().runs()) {
      progress_.Pause(*run, "stop", absl::StrCat("emergency stop: ", request.reason));
    }
  }
  // Asked again, it is said again.
  for (const auto& host : desk_.book().hosts()) SendStop(desk_, *host);
  return {absl::OkStatus(), absl::StrCat(desk_.book().state().stop().serial())};
}

Answer RunCommands::Do(const std::string&, const Command::LiftStop& request) {
  if (auto status = model::CheckReason("the reason to lift the stop", request.reason); !status.ok()) return {status};
  const journal::v1::StopRecord& stop = desk_.book().state().stop();
  // Agents may stand still by a stop that this coordinator, restored, does not know.
  if (!stop.active() && stop.seen_serial() <= stop.serial() && !SomebodyStandsStill(desk_)) {
    return {absl::FailedPreconditionError("no emergency stop is in force")};
  }
  Event event;
  event.mutable_stop_lifted()->set_serial(NextStopSerial());
  desk_.Emit(std::move(event));
  for (const auto& host : desk_.book().hosts()) SendStop(desk_, *host);
  return {absl::OkStatus(), absl::StrCat(desk_.book().state().stop().serial())};
}

}  // namespace reprise::engine
