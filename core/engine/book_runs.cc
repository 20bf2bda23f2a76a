// Folding what happens to plans, runs, gates, stages and waves.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/engine/book.h"

namespace reprise::engine {
namespace {

using journal::v1::Event;
using journal::v1::GateRecord;
using journal::v1::RunRecord;
using journal::v1::TargetRecord;

template <typename Record, typename Event_>
absl::Status MoveTo(Record& record, Event_ event) {
  const auto next = model::Move(record.state(), event);
  if (!next.ok()) return next.status();
  record.set_state(*next);
  return absl::OkStatus();
}

void AddGate(RunRecord& run, const plan::v1::Gate& gate, uint32_t stage, int32_t wave) {
  GateRecord& record = *run.add_gates();
  record.set_name(gate.name());
  record.set_stage(stage);
  record.set_wave(wave);
  record.set_state(model::v1::GATE_STATE_LOCKED);
}

const plan::v1::Placement* PlacementIn(const plan::v1::HostLeaf& leaf, uint32_t stage) {
  for (const auto& placement : leaf.placements()) {
    if (placement.stage() == stage) return &placement;
  }
  return nullptr;
}

}  // namespace

// ---- plans ----

absl::Status Book::On(const Event& event, const journal::v1::PlanSubmitted& submitted) {
  ASSIGN_OR_RETURN(PlanIndex index, PlanIndex::Read(submitted.bundle()));
  const std::string id = index.header.plan_id();
  if (plans_.contains(id)) return absl::AlreadyExistsError(absl::StrCat("plan ", id, " is known already"));
  journal::v1::PlanRecord& record = *state_.add_plans();
  *record.mutable_bundle() = submitted.bundle();
  record.set_submitted_by(NameOfActor(event.actor()));
  record.set_submitted_ms(event.at_ms());
  record.set_plan_id(id);
  plans_[id] = {std::make_shared<const PlanIndex>(std::move(index)), &record};
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::PlanSigned& signed_by) {
  ASSIGN_OR_RETURN(KnownPlan * plan, PlanNamed(signed_by.plan_id()));
  *plan->record->add_signatures() = signed_by.signature();
  plan->record->add_signers(signed_by.signer());
  // A run of it may wait for this very signature: that of a concession's decider.
  for (const auto& run : runs_) {
    if (run->record->plan_id() != signed_by.plan_id() || !IsActive(run->record->state())) continue;
    for (uint32_t s = 0; s < run->stages.size(); ++s) TouchStage(*run, s);
  }
  return absl::OkStatus();
}

// ---- runs ----

absl::Status Book::On(const Event& event, const journal::v1::RunStarted& started) {
  ASSIGN_OR_RETURN(KnownPlan * plan, PlanNamed(started.plan_id()));
  if (started.run() != runs_.size() + 1) {
    return absl::FailedPreconditionError(absl::StrCat("run ", started.run(), " after run ", runs_.size()));
  }
  RunRecord& record = *state_.add_runs();
  record.set_id(started.run());
  record.set_plan_id(started.plan_id());
  record.set_started_by(NameOfActor(event.actor()));
  record.set_started_ms(event.at_ms());
  record.set_state(model::v1::RUN_STATE_RUNNING);
  record.set_round(1);
  const plan::v1::PlanHeader& header = plan->index->header;
  for (int s = 0; s < header.stages_size(); ++s) {
    const auto stage_index = static_cast<uint32_t>(s);
    const plan::v1::Stage& stage = header.stages(s);
    journal::v1::StageRecord& stage_record = *record.add_stages();
    stage_record.set_state(model::v1::STAGE_STATE_PENDING);
    if (stage.has_gate()) AddGate(record, stage.gate(), stage_index, -1);
    for (int w = 0; w < stage.waves_size(); ++w) {
      stage_record.add_waves()->set_state(model::v1::WAVE_STATE_PENDING);
      if (stage.waves(w).has_gate()) AddGate(record, stage.waves(w).gate(), stage_index, w);
    }
    for (uint32_t leaf = 0; leaf < plan->index->leaves.size(); ++leaf) {
      const auto* placement = PlacementIn(plan->index->leaves[leaf], stage_index);
      if (placement == nullptr) continue;
      TargetRecord& target = *stage_record.add_targets();
      target.set_host(leaf);
      target.set_wave(placement->wave());
      target.set_state(model::v1::TARGET_STATE_WAITING);
      target.set_task(model::v1::TASK_STATE_PENDING);
      target.set_round_first_attempt(1);
    }
  }
  auto run = std::make_unique<RunBook>();
  run->id = started.run();
  run->record = &record;
  RETURN_IF_ERROR(IndexRun(*run));
  runs_.push_back(std::move(run));
  Touch(*runs_.back());
  return absl::OkStatus();
}

absl::Status Book::MoveRun(RunBook& run, model::RunEvent event) {
  const bool was_active = IsActive(run.record->state());
  RETURN_IF_ERROR(MoveTo(*run.record, event));
  const bool is_active = IsActive(run.record->state());
  if (was_active && !is_active) Dismiss(run);
  if (!was_active && is_active) Enlist(run);
  Touch(run);
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::RunPaused& paused) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(paused.run()));
  // One that is paused may be given a graver reason.
  if (run->record->state() != model::v1::RUN_STATE_PAUSED) RETURN_IF_ERROR(MoveRun(*run, model::RunEvent::kPaused));
  run->record->set_pause_code(paused.code());
  run->record->set_pause_reason(paused.reason());
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::RunResumed& resumed) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(resumed.run()));
  RETURN_IF_ERROR(MoveRun(*run, model::RunEvent::kResumed));
  run->record->clear_pause_code();
  run->record->clear_pause_reason();
  run->record->set_failures_accepted(run->failures);
  for (StageBook& stage : run->stages) {
    for (size_t w = 0; w < stage.waves.size(); ++w) {
      journal::v1::WaveRecord& wave = *stage.record->mutable_waves(static_cast<int>(w));
      wave.set_failures_accepted(stage.waves[w].failures);
      if (wave.state() == model::v1::WAVE_STATE_BREACHED) {
        RETURN_IF_ERROR(MoveTo(wave, model::WaveEvent::kResumed));
        wave.clear_ended_ms();
        wave.clear_reason();
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::RunAborting& aborting) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(aborting.run()));
  RETURN_IF_ERROR(MoveRun(*run, model::RunEvent::kAborting));
  run->record->clear_pause_code();
  run->record->clear_pause_reason();
  run->record->set_end_reason(aborting.reason());
  for (StageBook& stage : run->stages) {
    for (size_t t = 0; t < stage.hosts.size(); ++t) {
      TargetRecord& target = *stage.record->mutable_targets(static_cast<int>(t));
      if (IsInFlight(target.task())) target.set_cancel_sent(true);
      Touch(*stage.hosts[t]);
    }
  }
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::RunRetried& retried) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(retried.run()));
  RETURN_IF_ERROR(MoveRun(*run, model::RunEvent::kRetried));
  run->record->set_round(retried.round());
  run->record->clear_ended_ms();
  run->record->clear_end_reason();
  for (const auto& ref : retried.targets()) {
    ASSIGN_OR_RETURN(Place place, TargetAt(retried.run(), ref.stage(), ref.host()));
    RETURN_IF_ERROR(Alter(place, [&](TargetRecord& target) -> absl::Status {
      RETURN_IF_ERROR(MoveTo(target, model::TargetEvent::kRetried));
      ASSIGN_OR_RETURN(const auto task, model::Move(target.task(), model::TaskEvent::kRetried));
      const journal::v1::StepRecord* step = FindStep(target, ref.step());
      target.set_task(task);
      target.set_step(ref.step());
      target.set_attempt(step == nullptr ? 0 : step->attempts());
      target.set_round_first_attempt(target.attempt() + 1);
      target.set_rollback(ref.rollback());
      target.set_continued(false);
      target.clear_retry_at_ms();
      target.clear_code();
      target.clear_reason();
      return absl::OkStatus();
    }));
    journal::v1::WaveRecord& wave = *place.stage->record->mutable_waves(static_cast<int>(place.target->wave()));
    if (model::HasStarted(wave.state())) {
      RETURN_IF_ERROR(MoveTo(wave, model::WaveEvent::kRetried));
      wave.clear_ended_ms();
      wave.clear_reason();
    }
    if (model::HasStarted(place.stage->record->state())) {
      RETURN_IF_ERROR(MoveTo(*place.stage->record, model::StageEvent::kRetried));
    }
  }
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::StageRepeated& repeated) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(repeated.run()));
  if (repeated.stage() >= run->stages.size() || run->stages[repeated.stage()].plan->repeat_ms() <= 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("stage ", repeated.stage(), " of run ", repeated.run(), " is not to be repeated"));
  }
  StageBook& stage = run->stages[repeated.stage()];
  RETURN_IF_ERROR(MoveTo(*stage.record, model::StageEvent::kRetried));
  stage.record->set_repeats(stage.record->repeats() + 1);
  for (journal::v1::WaveRecord& wave : *stage.record->mutable_waves()) {
    RETURN_IF_ERROR(MoveTo(wave, model::WaveEvent::kRetried));
    wave.clear_ended_ms();
    wave.clear_reason();
  }
  for (const TargetRecord& known : stage.record->targets()) {
    if (!IsRepeated(known)) continue;
    ASSIGN_OR_RETURN(Place place, TargetAt(repeated.run(), repeated.stage(), known.host()));
    RETURN_IF_ERROR(Alter(place, [](TargetRecord& target) -> absl::Status {
      if (target.state() == model::v1::TARGET_STATE_SUCCEEDED) target.set_succeeded_once(true);
      RETURN_IF_ERROR(MoveTo(target, model::TargetEvent::kRetried));
      ASSIGN_OR_RETURN(const auto task, model::Move(target.task(), model::TaskEvent::kRetried));
      for (auto& step : *target.mutable_steps()) step.set_done(false);
      const journal::v1::StepRecord* first = FindStep(target, 0);
      target.set_task(task);
      target.set_step(0);
      target.set_attempt(first == nullptr ? 0 : first->attempts());
      target.set_round_first_attempt(target.attempt() + 1);
      target.set_continued(false);
      target.clear_retry_at_ms();
      target.clear_code();
      target.clear_reason();
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::RunCatchingUp& catching_up) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(catching_up.run()));
  return MoveRun(*run, model::RunEvent::kCatchingUp);
}

absl::Status Book::On(const Event& event, const journal::v1::RunEnded& ended) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(ended.run()));
  const bool known = ended.state() == model::v1::RUN_STATE_SUCCEEDED || ended.state() == model::v1::RUN_STATE_PARTIAL ||
                     ended.state() == model::v1::RUN_STATE_FAILED || ended.state() == model::v1::RUN_STATE_ABORTED;
  if (!known) return absl::InvalidArgumentError("a run ends succeeded, partial, failed or aborted");
  RETURN_IF_ERROR(MoveRun(*run, ended.state() == model::v1::RUN_STATE_SUCCEEDED ? model::RunEvent::kSucceeded
                                : ended.state() == model::v1::RUN_STATE_PARTIAL ? model::RunEvent::kPartial
                                : ended.state() == model::v1::RUN_STATE_FAILED  ? model::RunEvent::kFailed
                                                                                : model::RunEvent::kAborted));
  run->record->clear_pause_code();
  run->record->clear_pause_reason();
  run->record->set_ended_ms(event.at_ms());
  if (!ended.reason().empty()) run->record->set_end_reason(ended.reason());
  return absl::OkStatus();
}

// ---- gates ----

void Book::TouchStage(RunBook& run, uint32_t stage) {
  Touch(run);
  if (run.stages[stage].record->state() == model::v1::STAGE_STATE_PENDING) return;
  for (HostBook* host : run.stages[stage].hosts) Touch(*host);
}

absl::StatusOr<GateRecord*> Book::GateNamed(RunBook& run, const std::string& gate) {
  for (GateRecord& record : *run.record->mutable_gates()) {
    if (record.name() == gate) return &record;
  }
  return absl::NotFoundError(absl::StrCat("run ", run.id, " has no gate ", gate));
}

absl::Status Book::On(const Event& event, const journal::v1::GateReady& ready) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(ready.run()));
  ASSIGN_OR_RETURN(GateRecord * gate, GateNamed(*run, ready.gate()));
  RETURN_IF_ERROR(MoveTo(*gate, model::GateEvent::kReady));
  gate->set_ready_ms(event.at_ms());
  gate->clear_decided_ms();
  Touch(*run);
  journal::v1::StageRecord& stage = *run->record->mutable_stages(static_cast<int>(gate->stage()));
  // A gate that closed again holds back those that have not begun; the wave goes on for the others.
  TouchStage(*run, gate->stage());
  if (gate->wave() < 0) {
    return stage.state() == model::v1::STAGE_STATE_PENDING ? MoveTo(stage, model::StageEvent::kGated)
                                                           : absl::OkStatus();
  }
  journal::v1::WaveRecord& wave = *stage.mutable_waves(gate->wave());
  return wave.state() == model::v1::WAVE_STATE_PENDING ? MoveTo(wave, model::WaveEvent::kGated) : absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::GateSigned& signed_by) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(signed_by.run()));
  ASSIGN_OR_RETURN(GateRecord * gate, GateNamed(*run, signed_by.gate()));
  gate->add_signers(signed_by.signer());
  *gate->add_decisions() = signed_by.statement();
  Touch(*run);
  return absl::OkStatus();
}

absl::Status Book::On(const Event& event, const journal::v1::GateOpened& opened) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(opened.run()));
  ASSIGN_OR_RETURN(GateRecord * gate, GateNamed(*run, opened.gate()));
  const bool waived = opened.state() == model::v1::GATE_STATE_WAIVED;
  if (!waived && opened.state() != model::v1::GATE_STATE_PASSED) {
    return absl::InvalidArgumentError("a gate opens by being passed or waived");
  }
  RETURN_IF_ERROR(MoveTo(*gate, waived ? model::GateEvent::kWaived : model::GateEvent::kPassed));
  gate->set_decided_ms(event.at_ms());
  TouchStage(*run, gate->stage());
  return absl::OkStatus();
}

// ---- stages and waves ----

absl::StatusOr<journal::v1::WaveRecord*> Book::WaveAt(RunBook& run, uint32_t stage, uint32_t wave) {
  if (stage >= run.stages.size() || wave >= run.stages[stage].waves.size()) {
    return absl::NotFoundError(absl::StrCat("run ", run.id, " has no wave ", wave, " of stage ", stage));
  }
  return run.stages[stage].record->mutable_waves(static_cast<int>(wave));
}

absl::Status Book::On(const Event&, const journal::v1::StageStarted& started) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(started.run()));
  RETURN_IF_ERROR(WaveAt(*run, started.stage(), 0).status());
  Touch(*run);
  return MoveTo(*run->stages[started.stage()].record, model::StageEvent::kStarted);
}

absl::Status Book::On(const Event& event, const journal::v1::WaveStarted& started) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(started.run()));
  ASSIGN_OR_RETURN(journal::v1::WaveRecord * wave, WaveAt(*run, started.stage(), started.wave()));
  RETURN_IF_ERROR(MoveTo(*wave, model::WaveEvent::kStarted));
  wave->set_started_ms(event.at_ms());
  StageBook& stage = run->stages[started.stage()];
  for (const uint32_t target : stage.waves[started.wave()].targets) Touch(*stage.hosts[target]);
  Touch(*run);
  return absl::OkStatus();
}

absl::Status Book::On(const Event& event, const journal::v1::WaveEnded& ended) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(ended.run()));
  ASSIGN_OR_RETURN(journal::v1::WaveRecord * wave, WaveAt(*run, ended.stage(), ended.wave()));
  const bool breached = ended.state() == model::v1::WAVE_STATE_BREACHED;
  if (!breached && ended.state() != model::v1::WAVE_STATE_SETTLED) {
    return absl::InvalidArgumentError("a wave ends settled or breached");
  }
  RETURN_IF_ERROR(MoveTo(*wave, breached ? model::WaveEvent::kBreached : model::WaveEvent::kSettled));
  wave->set_ended_ms(event.at_ms());
  wave->set_reason(ended.reason());
  Touch(*run);
  return absl::OkStatus();
}

absl::Status Book::On(const Event&, const journal::v1::StageSettled& settled) {
  ASSIGN_OR_RETURN(RunBook * run, RunNumbered(settled.run()));
  RETURN_IF_ERROR(WaveAt(*run, settled.stage(), 0).status());
  Touch(*run);
  return MoveTo(*run->stages[settled.stage()].record, model::StageEvent::kSettled);
}

}  // namespace reprise::engine
