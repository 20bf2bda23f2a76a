#include <algorithm>
#include <vector>

#include "core/engine/proofs.h"
#include "core/report/views.h"

namespace reprise::report {
namespace {

using engine::PlanIndex;
using journal::v1::RunRecord;
using journal::v1::TargetRecord;
using operators::v1::TargetCounts;
using operators::v1::TargetView;

void Count(model::v1::TargetState state, TargetCounts& counts) {
  counts.set_total(counts.total() + 1);
  switch (state) {
    case model::v1::TARGET_STATE_ACTIVE:
    case model::v1::TARGET_STATE_ROLLING_BACK:
      return counts.set_active(counts.active() + 1);
    case model::v1::TARGET_STATE_SUCCEEDED:
      return counts.set_succeeded(counts.succeeded() + 1);
    case model::v1::TARGET_STATE_FAILED:
    case model::v1::TARGET_STATE_ROLLED_BACK:
      return counts.set_failed(counts.failed() + 1);
    case model::v1::TARGET_STATE_DEFERRED:
      return counts.set_deferred(counts.deferred() + 1);
    case model::v1::TARGET_STATE_SKIPPED:
      return counts.set_skipped(counts.skipped() + 1);
    case model::v1::TARGET_STATE_CANCELLED:
      return counts.set_cancelled(counts.cancelled() + 1);
    case model::v1::TARGET_STATE_EXPIRED:
      return counts.set_expired(counts.expired() + 1);
    default:
      return counts.set_waiting(counts.waiting() + 1);
  }
}

// What needs a person's eye comes first.
int Rank(model::v1::TargetState state) {
  switch (state) {
    case model::v1::TARGET_STATE_FAILED:
      return 0;
    case model::v1::TARGET_STATE_ROLLED_BACK:
      return 1;
    case model::v1::TARGET_STATE_ROLLING_BACK:
      return 2;
    case model::v1::TARGET_STATE_DEFERRED:
      return 3;
    case model::v1::TARGET_STATE_ACTIVE:
      return 4;
    case model::v1::TARGET_STATE_EXPIRED:
      return 5;
    case model::v1::TARGET_STATE_CANCELLED:
      return 6;
    case model::v1::TARGET_STATE_SKIPPED:
      return 7;
    case model::v1::TARGET_STATE_SUCCEEDED:
      return 9;
    default:
      return 8;
  }
}

TargetView ViewOfTarget(const PlanIndex& plan, const plan::v1::Stage& stage, const TargetRecord& target) {
  TargetView view;
  view.set_host(plan.leaves[target.host()].host());
  view.set_stage(stage.name());
  view.set_wave(stage.waves(static_cast<int>(target.wave())).name());
  view.set_state(target.state());
  if (static_cast<int>(target.step()) < stage.steps_size()) {
    view.set_step(stage.steps(static_cast<int>(target.step())).name());
  }
  view.set_task(target.task());
  view.set_attempt(target.attempt());
  view.set_code(target.code());
  view.set_reason(target.reason());
  view.set_retry_at_ms(target.retry_at_ms());
  for (const auto& record : target.steps()) {
    auto& step = *view.add_steps();
    step.set_name(stage.steps(static_cast<int>(record.step())).name());
    step.set_outcome(record.last().outcome());
    step.set_attempts(record.attempts());
    step.set_duration_ms(record.last().duration_ms());
    step.set_reason(record.last().reason());
    step.set_evidence_json(record.last().evidence_json());
    if (record.step() == target.step() && target.state() != model::v1::TARGET_STATE_SUCCEEDED) {
      view.set_hint(record.last().hint());
    }
  }
  return view;
}

void AddTargets(const PlanIndex& plan, const RunRecord& run, operators::v1::RunView& view) {
  for (int s = 0; s < run.stages_size(); ++s) {
    for (const auto& target : run.stages(s).targets()) {
      *view.add_targets() = ViewOfTarget(plan, plan.header.stages(s), target);
    }
  }
  std::stable_sort(view.mutable_targets()->begin(), view.mutable_targets()->end(),
                   [](const TargetView& a, const TargetView& b) { return Rank(a.state()) < Rank(b.state()); });
  *view.mutable_exclusions() = plan.annex.exclusions();
}

operators::v1::GateView ViewOfGate(const PlanIndex& plan, const RunRecord& run, const journal::v1::GateRecord& gate) {
  const plan::v1::Stage& stage = plan.header.stages(static_cast<int>(gate.stage()));
  const plan::v1::Gate& planned = gate.wave() < 0 ? stage.gate() : stage.waves(gate.wave()).gate();
  operators::v1::GateView view;
  view.set_run(run.id());
  view.set_name(gate.name());
  view.set_stage(stage.name());
  view.set_wave(gate.wave());
  view.set_question(planned.question());
  view.set_state(gate.state());
  view.set_quorum(planned.quorum());
  *view.mutable_approvers() = planned.approvers();
  *view.mutable_signers() = gate.signers();
  view.set_plan_id(run.plan_id());
  view.set_plan_root(plan.statement.merkle_root);
  return view;
}

void AddUnmet(const engine::Engine& engine, const plan::v1::Stage& planned, UnixMs now,
              operators::v1::StageView& stage) {
  std::vector<const journal::v1::HostRecord*> hosts;
  for (const auto& requirement : planned.requirements()) hosts.push_back(engine.FindHost(requirement.host()));
  for (std::string& unmet : engine::UnmetRequirements(planned, hosts, now)) stage.add_waits_for(std::move(unmet));
}

}  // namespace

operators::v1::RunView ViewOfRun(const engine::Engine& engine, const RunRecord& run, bool with_targets, UnixMs now) {
  operators::v1::RunView view;
  view.set_id(run.id());
  view.set_plan_id(run.plan_id());
  view.set_state(run.state());
  view.set_pause_code(run.pause_code());
  view.set_pause_reason(run.pause_reason());
  view.set_started_by(run.started_by());
  view.set_started_ms(run.started_ms());
  view.set_ended_ms(run.ended_ms());
  view.set_end_reason(run.end_reason());
  view.set_round(run.round());
  view.mutable_counts();
  const PlanIndex* plan = engine.FindPlan(run.plan_id());
  if (plan == nullptr) return view;
  view.set_workflow(plan->header.workflow());
  view.set_exercise(plan->header.exercise());
  view.set_expires_ms(plan->header.expires_ms());
  for (int s = 0; s < run.stages_size(); ++s) {
    const plan::v1::Stage& planned = plan->header.stages(s);
    auto& stage = *view.add_stages();
    stage.set_name(planned.name());
    stage.set_state(run.stages(s).state());
    stage.mutable_counts();
    // Of a settled stage too, for hosts that came back to it late.
    const auto& targets = run.stages(s).targets();
    const bool over = std::all_of(targets.begin(), targets.end(), [](const auto& target) { return engine::IsEnded(target.state()); });
    if (run.ended_ms() == 0 && !(over && run.stages(s).state() == model::v1::STAGE_STATE_SETTLED)) {
      AddUnmet(engine, planned, now, stage);
    }
    for (int w = 0; w < run.stages(s).waves_size(); ++w) {
      const auto& record = run.stages(s).waves(w);
      auto& wave = *stage.add_waves();
      wave.set_name(planned.waves(w).name());
      wave.set_state(record.state());
      wave.mutable_counts();
      wave.set_started_ms(record.started_ms());
      wave.set_ended_ms(record.ended_ms());
      wave.set_reason(record.reason());
    }
    for (const auto& target : run.stages(s).targets()) {
      Count(target.state(), *stage.mutable_waves(static_cast<int>(target.wave()))->mutable_counts());
      Count(target.state(), *stage.mutable_counts());
      Count(target.state(), *view.mutable_counts());
    }
  }
  for (const auto& gate : run.gates()) *view.add_gates() = ViewOfGate(*plan, run, gate);
  if (with_targets) AddTargets(*plan, run, view);
  return view;
}

operators::v1::GateList ViewOfGates(const engine::Engine& engine, bool active_only) {
  operators::v1::GateList list;
  for (const auto& run : engine.state().runs()) {
    if (active_only && run.ended_ms() != 0) continue;
    const PlanIndex* plan = engine.FindPlan(run.plan_id());
    if (plan == nullptr) continue;
    for (const auto& gate : run.gates()) *list.add_gates() = ViewOfGate(*plan, run, gate);
  }
  return list;
}

operators::v1::StopView ViewOfStop(const journal::v1::StopRecord& stop) {
  operators::v1::StopView view;
  view.set_serial(stop.serial());
  view.set_active(stop.active());
  view.set_by(stop.by());
  view.set_reason(stop.reason());
  view.set_raised_ms(stop.raised_ms());
  view.set_asked(stop.asked());
  view.set_confirmed(static_cast<uint32_t>(stop.confirmed_size()));
  std::vector<int64_t> latencies;
  for (const auto& confirmed : stop.confirmed()) {
    view.set_killed(view.killed() + confirmed.killed());
    latencies.push_back(confirmed.latency_ms());
  }
  if (!latencies.empty()) {
    std::sort(latencies.begin(), latencies.end());
    view.set_latency_p50_ms(latencies[(latencies.size() - 1) / 2]);
    view.set_latency_max_ms(latencies.back());
  }
  return view;
}

}  // namespace reprise::report
