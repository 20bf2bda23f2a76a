#include "core/engine/progress.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/planted.h"
#include "core/base/text.h"
#include "core/engine/proofs.h"
#include "core/model/authorization.h"

namespace reprise::engine {
namespace {

using journal::v1::Event;
using model::v1::RunState;

constexpr char kBudget[] = "budget";  // The code of a pause.

// Empty: within budget.
std::string Breach(const plan::v1::FailureBudget& budget, uint32_t failures, uint32_t accepted, size_t hosts) {
  const uint32_t counted = failures - std::min(accepted + (REPRISE_PLANTED(kBudgetOffByOne) ? 1 : 0), failures);
  if (counted == 0) return "";
  const std::string found = absl::StrCat(counted, " of ", hosts, " failed");
  if (budget.has_max_failures() && counted > budget.max_failures()) {
    return absl::StrCat(found, "; at most ", budget.max_failures(), " may");
  }
  if (budget.has_max_percent() && uint64_t{counted} * 100 > uint64_t{budget.max_percent()} * hosts) {
    return absl::StrCat(found, "; at most ", budget.max_percent(), " % may");
  }
  return "";
}

bool NobodyIsLeft(const StageBook& stage) {
  const auto& targets = stage.record->targets();
  return std::all_of(targets.begin(), targets.end(), [](const auto& target) { return IsEnded(target.state()); });
}

bool NobodyIsLeft(const StageBook& stage, uint32_t wave) {
  const auto& targets = stage.waves[wave].targets;
  return std::all_of(targets.begin(), targets.end(), [&](uint32_t target) {
    return IsEnded(stage.record->targets(static_cast<int>(target)).state());
  });
}

// All of its hosts, and all that come after, have ended: nothing more of it starts, and there is nothing to ask about. Where
// somebody comes after, who opens its gate lets them go on, too.
bool IsMoot(const RunBook& run, const StageBook& stage) {
  return NobodyIsLeft(stage) && std::all_of(stage.descendants.begin(), stage.descendants.end(),
                                            [&](uint32_t after) { return NobodyIsLeft(run.stages[after]); });
}

bool SomebodyIsLater(const StageBook& stage, uint32_t wave) {
  for (uint32_t later = wave + 1; later < stage.waves.size(); ++later) {
    if (!NobodyIsLeft(stage, later)) return true;
  }
  return false;
}

bool IsOver(const RunBook& run, const StageBook& stage) {
  const auto& waves = stage.record->waves();
  if (stage.record->state() == model::v1::STAGE_STATE_SETTLED) {
    return std::all_of(waves.begin(), waves.end(), [](const auto& wave) { return wave.state() == model::v1::WAVE_STATE_SETTLED; });
  }
  // What was stopped half way is for people to resume.
  const bool at_rest = std::all_of(waves.begin(), waves.end(), [](const auto& wave) {
    return wave.state() == model::v1::WAVE_STATE_SETTLED || !model::HasStarted(wave.state());
  });
  return at_rest && IsMoot(run, stage);
}

bool IsSettled(const RunBook& run) {
  return std::all_of(run.stages.begin(), run.stages.end(), [&](const StageBook& stage) { return IsOver(run, stage); });
}

// What is repeated accompanies the other stages, and ends with them; where there are no others, with the plan.
bool MayRepeat(const RunBook& run) {
  bool others = false;
  for (const StageBook& stage : run.stages) {
    if (stage.plan->repeat_ms() > 0) continue;
    others = true;
    if (stage.record->state() != model::v1::STAGE_STATE_SETTLED && !IsOver(run, stage)) return true;
  }
  return !others;
}

bool RepeatsForEver(const RunBook& run) {
  return std::all_of(run.stages.begin(), run.stages.end(),
                     [](const StageBook& stage) { return stage.plan->repeat_ms() > 0; });
}

}  // namespace

void Progress::Advance(RunBook& run) {
  if (!IsActive(run.record->state())) return desk_.schedule().WakeRunAt(run.id, kNever);
  const UnixMs expires = run.plan->statement.expires;
  UnixMs wake = desk_.now() < expires ? expires : kNever;
  if (run.record->state() != model::v1::RUN_STATE_ABORTING) {
    CheckBudgets(run);
    Settle(run);
    wake = std::min(wake, RepeatStages(run));
    StartStages(run);
    StartWaves(run);
  }
  desk_.schedule().WakeRunAt(run.id, wake);
  CheckEnd(run);
}

void Progress::Pause(RunBook& run, const std::string& code, const std::string& reason) {
  const RunState state = run.record->state();
  // Who resumes accepts the failures, also those that came after somebody had paused: so they are put forward then, too.
  const bool said_more = state == model::v1::RUN_STATE_PAUSED && code == kBudget && run.record->pause_code() != kBudget;
  if (state != model::v1::RUN_STATE_RUNNING && state != model::v1::RUN_STATE_CATCHING_UP && !said_more) return;
  Event event;
  event.mutable_run_paused()->set_run(run.id);
  event.mutable_run_paused()->set_code(code);
  event.mutable_run_paused()->set_reason(
      said_more ? absl::StrCat(reason, " (paused already: ", run.record->pause_reason(), ")") : reason);
  desk_.Emit(std::move(event));
}

void Progress::CheckBudgets(RunBook& run) {
  for (uint32_t s = 0; s < run.stages.size(); ++s) {
    StageBook& stage = run.stages[s];
    if (!stage.plan->has_wave_budget()) continue;
    for (uint32_t w = 0; w < stage.waves.size(); ++w) {
      const auto& wave = stage.record->waves(static_cast<int>(w));
      if (wave.state() != model::v1::WAVE_STATE_RUNNING && wave.state() != model::v1::WAVE_STATE_SETTLED) continue;
      const std::string breach = Breach(stage.plan->wave_budget(), stage.waves[w].failures, wave.failures_accepted(),
                                        stage.waves[w].targets.size());
      if (breach.empty()) continue;
      Event event;
      auto* ended = event.mutable_wave_ended();
      ended->set_run(run.id);
      ended->set_stage(s);
      ended->set_wave(w);
      ended->set_state(model::v1::WAVE_STATE_BREACHED);
      ended->set_reason(breach);
      desk_.Emit(std::move(event));
      Pause(
          run, kBudget,
          absl::StrCat(stage.plan->waves(static_cast<int>(w)).name(), " of stage ", stage.plan->name(), ": ", breach));
    }
  }
  const auto& limits = run.plan->header.limits();
  if (!limits.has_budget()) return;
  const std::string breach = Breach(limits.budget(), run.failures, run.record->failures_accepted(), run.total);
  if (!breach.empty()) Pause(run, kBudget, absl::StrCat("the whole run: ", breach));
}

void Progress::Settle(RunBook& run) {
  for (uint32_t s = 0; s < run.stages.size(); ++s) {
    StageBook& stage = run.stages[s];
    bool all = true;
    for (uint32_t w = 0; w < stage.waves.size(); ++w) {
      const auto& wave = stage.record->waves(static_cast<int>(w));
      if (wave.state() == model::v1::WAVE_STATE_RUNNING && stage.waves[w].open == 0) {
        Event event;
        auto* ended = event.mutable_wave_ended();
        ended->set_run(run.id);
        ended->set_stage(s);
        ended->set_wave(w);
        ended->set_state(model::v1::WAVE_STATE_SETTLED);
        desk_.Emit(std::move(event));
      }
      all = all && wave.state() == model::v1::WAVE_STATE_SETTLED;
    }
    if (!all || stage.record->state() != model::v1::STAGE_STATE_RUNNING) continue;
    Event event;
    event.mutable_stage_settled()->set_run(run.id);
    event.mutable_stage_settled()->set_stage(s);
    desk_.Emit(std::move(event));
  }
}

bool Progress::MayStart(const RunBook& run) const {
  return run.record->state() == model::v1::RUN_STATE_RUNNING && !desk_.stopped() &&
         desk_.now() < run.plan->statement.expires;
}

bool Progress::PassGate(RunBook& run, uint32_t stage, int32_t wave) {
  const plan::v1::Stage& plan = *run.stages[stage].plan;
  const plan::v1::Gate* gate = wave < 0 ? (plan.has_gate() ? &plan.gate() : nullptr)
                                        : (plan.waves(wave).has_gate() ? &plan.waves(wave).gate() : nullptr);
  if (gate == nullptr) return true;
  const auto& gates = run.record->gates();
  const auto& record =
      *std::find_if(gates.begin(), gates.end(), [&](const auto& known) { return known.name() == gate->name(); });
  if (record.state() == model::v1::GATE_STATE_READY) return false;
  if (record.state() != model::v1::GATE_STATE_LOCKED) {
    if (!MayStart(run)) return false;  // Nothing passes now; looked at again when something may.
    const auto verdict = model::CheckGate(*desk_.keyring(), run.plan->statement, *gate, run.id,
                                          {record.decisions().begin(), record.decisions().end()}, desk_.now());
    if (verdict.ok()) return true;
  }
  Event event;
  event.mutable_gate_ready()->set_run(run.id);
  event.mutable_gate_ready()->set_stage(stage);
  event.mutable_gate_ready()->set_wave(wave);
  event.mutable_gate_ready()->set_gate(gate->name());
  desk_.Emit(std::move(event));
  return false;
}

// Also those passed long ago: a waiver may have run out since, and the agents would not let the wave through.
bool Progress::PassGatesBefore(RunBook& run, uint32_t stage, uint32_t wave) {
  bool open = true;
  for (int32_t w = -1; w <= static_cast<int32_t>(wave); ++w) open = PassGate(run, stage, w) && open;
  return open;
}

UnixMs Progress::RepeatStages(RunBook& run) {
  UnixMs next = kNever;
  if (!MayStart(run) || !MayRepeat(run)) return next;
  for (uint32_t s = 0; s < run.stages.size(); ++s) {
    const StageBook& stage = run.stages[s];
    if (stage.plan->repeat_ms() <= 0 || stage.record->state() != model::v1::STAGE_STATE_SETTLED) continue;
    if (std::none_of(stage.record->targets().begin(), stage.record->targets().end(), IsRepeated)) continue;
    UnixMs ended = 0;
    for (const auto& wave : stage.record->waves()) ended = std::max<UnixMs>(ended, wave.ended_ms());
    const UnixMs due = ended + stage.plan->repeat_ms();
    if (desk_.now() < due) {
      next = std::min(next, due);
      continue;
    }
    Event event;
    event.mutable_stage_repeated()->set_run(run.id);
    event.mutable_stage_repeated()->set_stage(s);
    desk_.Emit(std::move(event));
  }
  return next;
}

void Progress::StartStages(RunBook& run) {
  for (uint32_t s = 0; s < run.stages.size(); ++s) {
    StageBook& stage = run.stages[s];
    if (model::HasStarted(stage.record->state())) continue;
    const bool free = std::all_of(stage.plan->after().begin(), stage.plan->after().end(), [&](uint32_t before) {
      const auto& record = *run.stages[before].record;
      return record.state() == model::v1::STAGE_STATE_SETTLED || record.repeats() > 0;
    });
    if (!free || IsMoot(run, stage) || !PassGate(run, s, -1) || !MayStart(run)) continue;
    // Looked at again when a claim of one of those hosts comes in.
    if (!RequirementsHold(desk_.book(), *stage.plan, desk_.now())) continue;
    Event event;
    event.mutable_stage_started()->set_run(run.id);
    event.mutable_stage_started()->set_stage(s);
    desk_.Emit(std::move(event));
  }
}

void Progress::StartWaves(RunBook& run) {
  for (uint32_t s = 0; s < run.stages.size(); ++s) {
    StageBook& stage = run.stages[s];
    if (stage.record->state() != model::v1::STAGE_STATE_RUNNING) continue;
    // The first that has not started, if all before it are settled.
    uint32_t w = 0;
    while (w < stage.waves.size() &&
           stage.record->waves(static_cast<int>(w)).state() == model::v1::WAVE_STATE_SETTLED) {
      ++w;
    }
    if (w == stage.waves.size() || model::HasStarted(stage.record->waves(static_cast<int>(w)).state())) continue;
    if (IsMoot(run, stage)) continue;
    // A wave with nobody in it is passed through: the next that has somebody asks about its gates, too.
    const bool passed_through = NobodyIsLeft(stage, w) && SomebodyIsLater(stage, w);
    if ((!passed_through && !PassGatesBefore(run, s, w)) || !MayStart(run)) continue;
    Event event;
    event.mutable_wave_started()->set_run(run.id);
    event.mutable_wave_started()->set_stage(s);
    event.mutable_wave_started()->set_wave(w);
    desk_.Emit(std::move(event));
  }
}

void Progress::CheckEnd(RunBook& run) {
  if (run.record->state() == model::v1::RUN_STATE_ABORTING) {
    if (run.unended == 0) End(run, model::v1::RUN_STATE_ABORTED, "");
    return;
  }
  const bool expired = desk_.now() >= run.plan->statement.expires;
  const bool settled = IsSettled(run) && (expired || !RepeatsForEver(run));
  if (run.unended > 0) {
    if (!settled || run.record->state() != model::v1::RUN_STATE_RUNNING || expired) return;
    Event event;
    event.mutable_run_catching_up()->set_run(run.id);
    return desk_.Emit(std::move(event));
  }
  if (!settled && !expired) return;
  const std::string reason =
      settled ? "" : absl::StrCat("the plan expired at ", FormatTime(run.plan->statement.expires));
  End(run,
      run.succeeded == run.total ? model::v1::RUN_STATE_SUCCEEDED
      : run.succeeded == 0       ? model::v1::RUN_STATE_FAILED
                                 : model::v1::RUN_STATE_PARTIAL,
      reason);
}

void Progress::End(RunBook& run, RunState state, const std::string& reason) {
  Event event;
  event.mutable_run_ended()->set_run(run.id);
  event.mutable_run_ended()->set_state(state);
  event.mutable_run_ended()->set_reason(reason);
  desk_.Emit(std::move(event));
}

}  // namespace reprise::engine
