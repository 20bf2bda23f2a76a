// What the witness knows of limits: places, tokens, failure budgets, gates.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/witness.h"

namespace reprise::sim {
namespace {

bool HasPlace(model::v1::TargetState state) {
  return state == model::v1::TARGET_STATE_ACTIVE || state == model::v1::TARGET_STATE_ROLLING_BACK;
}

bool HasEnded(model::v1::TargetState state) {
  return !HasPlace(state) && state != model::v1::TARGET_STATE_WAITING && state != model::v1::TARGET_STATE_DEFERRED;
}

}  // namespace

bool Witness::Failed(uint64_t run, uint32_t stage, const Target& target) {
  switch (target.state) {
    case model::v1::TARGET_STATE_FAILED:
    case model::v1::TARGET_STATE_ROLLED_BACK:
    case model::v1::TARGET_STATE_ROLLING_BACK:
      return true;
    case model::v1::TARGET_STATE_DEFERRED:
      return target.undoing ||
             (target.code != "upstream_deferred" &&
              PlanOf(run).header.stages(static_cast<int>(stage)).unreachable() == model::v1::UNREACHABLE_FAIL);
    case model::v1::TARGET_STATE_WAITING:
      return target.undoing;
    default:
      return false;
  }
}

uint32_t Witness::Failures(uint64_t run, int stage, int wave, uint32_t* hosts) {
  uint32_t failures = 0, all = 0;
  for (const auto& [way, target] : targets_) {
    if (std::get<0>(way) != run || (stage >= 0 && std::get<1>(way) != static_cast<uint32_t>(stage)) ||
        (wave >= 0 && target.wave != static_cast<uint32_t>(wave))) {
      continue;
    }
    all += 1;
    failures += Failed(run, std::get<1>(way), target) ? 1 : 0;
  }
  if (hosts != nullptr) *hosts = all;
  return failures;
}

// What was made good is not accepted any more.
void Witness::Lower(uint64_t run) {
  for (auto& [wave, accepted] : runs_[run].accepted) {
    accepted = std::min(accepted, Failures(run, static_cast<int>(wave.first), static_cast<int>(wave.second), nullptr));
  }
  runs_[run].accepted_all = std::min(runs_[run].accepted_all, Failures(run, -1, -1, nullptr));
}

void Witness::CheckDispatch(const journal::v1::TaskDispatched& e, UnixMs at) {
  const Plan& plan = PlanOf(e.run());
  const plan::v1::Stage& stage = plan.header.stages(static_cast<int>(e.stage()));
  Target& target = targets_.at({e.run(), e.stage(), e.host()});
  const std::string& name = plan.leaves[e.host()].host();
  const std::string what = absl::StrCat(" when ", name, " was sent a task: ", e.ShortDebugString());
  if (stopped_) Complain("after an emergency stop" + what);
  if (plan.header.effect() > model::v1::EFFECT_READ && recorded_[name].forbids) Complain("to a host that is held" + what);
  if (paused_.contains(e.run())) Complain("after a pause or an abort" + what);
  if (target.in_flight) Complain("two tasks at once on one way" + what);
  CheckOpened(e, target.wave, what);
  uint32_t stage_places = 0, run_places = 0, on_host = 0;
  std::map<std::string, uint32_t> tokens;
  for (const auto& [way, other] : targets_) {
    const auto& [run, other_stage, leaf] = way;
    if (other.in_flight && PlanOf(run).leaves[leaf].host() == name) on_host += 1;
    if (run != e.run()) continue;
    run_places += HasPlace(other.state) ? 1 : 0;
    stage_places += other_stage == e.stage() && HasPlace(other.state) ? 1 : 0;
    if (!other.in_flight) continue;
    for (const auto& token :
         plan.header.stages(static_cast<int>(other_stage)).steps(static_cast<int>(other.step)).tokens())
      tokens[token.token()] += token.amount();
  }
  if (!HasPlace(target.state)) {
    if (stage.in_flight_max() > 0 && stage_places >= stage.in_flight_max()) Complain("stage in flight" + what);
    const uint32_t most = plan.header.limits().in_flight_max();
    if (most > 0 && run_places >= most) Complain("run in flight" + what);
  }
  if (on_host >= std::max(1u, plan.header.limits().per_host_max())) Complain("too much at once on one host" + what);
  for (const auto& token : stage.steps(static_cast<int>(e.step())).tokens()) {
    for (const auto& capacity : plan.header.capacities()) {
      if (capacity.token() == token.token() && tokens[token.token()] + token.amount() > capacity.amount()) {
        Complain("tokens" + what);
      }
    }
  }
  if (!e.rollback()) {
    CheckRequirements(stage, at, what);
    CheckCopy(stage.steps(static_cast<int>(e.step())), at, what);
  }
  CheckBudgets(e.run(), what);
  target.in_flight = true;
  target.step = e.step();
  target.undoing = e.rollback();
  if (!HasPlace(target.state)) {
    target.state = e.rollback() ? model::v1::TARGET_STATE_ROLLING_BACK : model::v1::TARGET_STATE_ACTIVE;
  }
  const AttemptKey key = {name, e.run(), e.stage(), e.step(), e.attempt(), e.rollback(), plan.header.plan_id()};
  if (!dispatched_.contains(key)) target.sent = at;
  target.sent_again = at;
  target.allowed = e.deadline_ms() - at;
  dispatched_[key] += 1;
}

void Witness::CheckRequirements(const plan::v1::Stage& stage, UnixMs at, const std::string& what) {
  for (const auto& requirement : stage.requirements()) {
    const auto claim = claims_.find({requirement.host(), requirement.claim()});
    if (claim == claims_.end() || !claim->second.holds || claim->second.at + requirement.within_ms() < at) {
      Complain(absl::StrCat("without a fresh proof of ", requirement.claim(), " of ", requirement.host(), what));
    }
  }
}

void Witness::CheckBudgets(uint64_t run, const std::string& what) {
  const Plan& plan = PlanOf(run);
  const auto over = [](const plan::v1::FailureBudget& budget, uint32_t failures, uint32_t accepted, uint32_t hosts) {
    const uint32_t counted = failures - std::min(failures, accepted);
    return counted > 0 && ((budget.has_max_failures() && counted > budget.max_failures()) ||
                           (budget.has_max_percent() && counted * 100 > budget.max_percent() * hosts));
  };
  for (int s = 0; s < plan.header.stages_size(); ++s) {
    for (int w = 0; w < plan.header.stages(s).waves_size(); ++w) {
      uint32_t hosts = 0;
      const uint32_t failures = Failures(run, s, w, &hosts);
      const uint32_t accepted = runs_[run].accepted[{static_cast<uint32_t>(s), static_cast<uint32_t>(w)}];
      if (plan.header.stages(s).has_wave_budget() &&
          over(plan.header.stages(s).wave_budget(), failures, accepted, hosts)) {
        Complain("over the failure budget of a wave" + what);
      }
    }
  }
  uint32_t hosts = 0;
  const uint32_t failures = Failures(run, -1, -1, &hosts);
  if (plan.header.limits().has_budget() &&
      over(plan.header.limits().budget(), failures, runs_[run].accepted_all, hosts)) {
    Complain("over the failure budget of the run" + what);
  }
}

bool Witness::IsOpen(uint64_t run, const plan::v1::Gate& gate, UnixMs at, bool by_now) {
  const Plan& plan = PlanOf(run);
  std::set<std::string> approved;
  for (const RealDecision& decision : decisions_) {
    if (decision.run != run || decision.gate != gate.name() || decision.signer == plan.header.requester() ||
        (by_now && revoked_.contains(decision.signer))) {
      continue;
    }
    if (decision.waive) {
      if (decision.may_waive && decision.expires > at) return true;
    } else if (decision.may_approve) {
      approved.insert(decision.signer);
    }
  }
  return approved.size() >= std::max(1u, gate.quorum());
}

bool Witness::NobodyIsLeft(const journal::v1::WaveStarted& e) const {
  return std::all_of(targets_.begin(), targets_.end(), [&](const auto& known) {
    const auto& [run, stage, leaf] = known.first;
    return run != e.run() || stage != e.stage() || known.second.wave != e.wave() || HasEnded(known.second.state);
  });
}

void Witness::CheckOpened(const journal::v1::TaskDispatched& e, uint32_t wave, const std::string& what) {
  const plan::v1::Stage& stage = PlanOf(e.run()).header.stages(static_cast<int>(e.stage()));
  const auto check = [&](const plan::v1::Gate& gate) {
    if (!opened_gates_.contains({e.run(), gate.name()})) Complain("gate " + gate.name() + " was never opened" + what);
  };
  if (stage.has_gate()) check(stage.gate());
  for (uint32_t w = 0; w <= wave; ++w) {
    if (stage.waves(static_cast<int>(w)).has_gate()) check(stage.waves(static_cast<int>(w)).gate());
  }
  // Whoever comes after a stage comes after all of its gates.
  std::vector<uint32_t> before(stage.after().begin(), stage.after().end());
  for (size_t i = 0; i < before.size(); ++i) {
    const plan::v1::Stage& earlier = PlanOf(e.run()).header.stages(static_cast<int>(before[i]));
    before.insert(before.end(), earlier.after().begin(), earlier.after().end());
    if (earlier.has_gate()) check(earlier.gate());
    for (const auto& each : earlier.waves()) {
      if (each.has_gate()) check(each.gate());
    }
  }
}

void Witness::CheckGates(uint64_t run, uint32_t stage, int32_t wave, UnixMs at, bool one_only,
                         const std::string& moment) {
  const plan::v1::Stage& whole = PlanOf(run).header.stages(static_cast<int>(stage));
  for (int32_t w = -1; w <= wave; ++w) {
    if (one_only && w != wave) continue;
    if (w < 0 ? !whole.has_gate() : !whole.waves(w).has_gate()) continue;
    const plan::v1::Gate& gate = w < 0 ? whole.gate() : whole.waves(w).gate();
    if (!IsOpen(run, gate, at, /*by_now=*/true)) {
      Complain(absl::StrCat(moment, " without its quorum: run ", run, ", gate ", gate.name()));
    }
  }
}

}  // namespace reprise::sim
