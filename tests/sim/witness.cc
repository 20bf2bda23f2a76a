#include "tests/sim/witness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace reprise::sim {
namespace {

using journal::v1::Event;

bool HasPlace(model::v1::TargetState state) {
  return state == model::v1::TARGET_STATE_ACTIVE || state == model::v1::TARGET_STATE_ROLLING_BACK;
}

}  // namespace

std::string ActionOf(const std::string& plan_id, uint32_t stage, uint32_t step) {
  return absl::StrCat(plan_id, ".", stage, ".", step);
}

void Witness::Complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = what;
}

void Witness::PlanIs(const plan::v1::PlanHeader& header, const std::vector<plan::v1::HostLeaf>& leaves) {
  plans_[header.plan_id()] = {header, leaves};
}

// ---- the journal ----

void Witness::EventIsDurable(const Event& event) {
  switch (event.kind_case()) {
    case Event::kRunStarted: {
      runs_[event.run_started().run()].plan = event.run_started().plan_id();
      const Plan& plan = PlanOf(event.run_started().run());
      for (uint32_t leaf = 0; leaf < plan.leaves.size(); ++leaf) {
        for (const auto& placement : plan.leaves[leaf].placements()) {
          targets_[{event.run_started().run(), placement.stage(), leaf}].wave = placement.wave();
        }
      }
      return;
    }
    case Event::kTaskDispatched:
      return CheckDispatch(event.task_dispatched());
    case Event::kTaskAccepted: {
      const auto& e = event.task_accepted();
      Target& target = targets_.at({e.run(), e.stage(), e.host()});
      target.in_flight = true;
      if (target.state == model::v1::TARGET_STATE_WAITING) {
        target.state = e.rollback() ? model::v1::TARGET_STATE_ROLLING_BACK : model::v1::TARGET_STATE_ACTIVE;
      }
      return;
    }
    case Event::kTaskLost: {
      const auto& e = event.task_lost();
      targets_.at({e.run(), e.stage(), e.host()}).in_flight = false;
      return;
    }
    case Event::kTaskFinished: {
      const auto& e = event.task_finished();
      Target& target = targets_.at({e.run(), e.stage(), e.host()});
      target.in_flight = false;
      target.state = e.target_state();
      target.code = e.finished().code();
      if (e.has_next()) target.undoing = e.next().rollback();
      outcomes_ += 1;
      const std::string& host = PlanOf(e.run()).leaves[e.host()].host();
      if (!finished_.insert(KeyOf(host, e.finished().key())).second) {
        Complain(absl::StrCat("one attempt has two outcomes in the journal: ", e.ShortDebugString()));
      }
      Lower(e.run());
      if (e.target_state() != model::v1::TARGET_STATE_SUCCEEDED) return;
      const Plan& plan = PlanOf(e.run());
      const plan::v1::Stage& stage = plan.header.stages(static_cast<int>(e.stage()));
      for (uint32_t step = 0; step < static_cast<uint32_t>(stage.steps_size()); ++step) {
        if (!hosts_[host].done[ActionOf(plan.header.plan_id(), e.stage(), step)]) {
          Complain(absl::StrCat("green without being so: ", host, ", stage ", e.stage(), ", step ", step));
        }
      }
      return;
    }
    case Event::kTargetMoved: {
      const auto& e = event.target_moved();
      Target& target = targets_.at({e.run(), e.stage(), e.host()});
      target.state = e.to();
      target.code = e.code();
      return Lower(e.run());
    }
    case Event::kRunRetried:
      for (const auto& ref : event.run_retried().targets()) {
        Target& target = targets_.at({event.run_retried().run(), ref.stage(), ref.host()});
        target.state = model::v1::TARGET_STATE_WAITING;
        target.undoing = ref.rollback();
        target.code.clear();
      }
      return Lower(event.run_retried().run());
    case Event::kRunPaused:
      paused_.insert(event.run_paused().run());
      ever_paused_.insert(event.run_paused().run());
      return;
    case Event::kRunAborting:
      paused_.insert(event.run_aborting().run());
      return;
    case Event::kRunEnded:  // Tried again, it runs.
      if (event.run_ended().state() != model::v1::RUN_STATE_ABORTED) paused_.erase(event.run_ended().run());
      return;
    case Event::kStopRaised:
      stopped_ = ever_stopped_ = true;
      return;
    case Event::kStopLifted:
      if (!event.actor().starts_with("operator:")) Complain("a stop was lifted by nobody");
      stopped_ = false;
      return;
    case Event::kRunResumed: {
      const uint64_t run = event.run_resumed().run();
      if (!event.actor().starts_with("operator:")) Complain("a run was resumed by nobody");
      paused_.erase(run);
      const auto& header = PlanOf(run).header;
      for (int s = 0; s < header.stages_size(); ++s) {
        for (int w = 0; w < header.stages(s).waves_size(); ++w) {
          runs_[run].accepted[{static_cast<uint32_t>(s), static_cast<uint32_t>(w)}] = Failures(run, s, w, nullptr);
        }
      }
      runs_[run].accepted_all = Failures(run, -1, -1, nullptr);
      return;
    }
    case Event::kGateOpened:
      return CheckGates(event.gate_opened().run(), event.gate_opened().stage(), event.gate_opened().wave(),
                        event.at_ms(), true, "a gate opened");
    case Event::kWaveStarted:
      return CheckGates(event.wave_started().run(), event.wave_started().stage(),
                        static_cast<int32_t>(event.wave_started().wave()), event.at_ms(), false, "a wave started");
    default:
      return;
  }
}

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

void Witness::CheckDispatch(const journal::v1::TaskDispatched& e) {
  const Plan& plan = PlanOf(e.run());
  const plan::v1::Stage& stage = plan.header.stages(static_cast<int>(e.stage()));
  Target& target = targets_.at({e.run(), e.stage(), e.host()});
  const std::string& name = plan.leaves[e.host()].host();
  const std::string what = absl::StrCat(" when ", name, " was sent a task: ", e.ShortDebugString());
  if (stopped_) Complain("after an emergency stop" + what);
  if (paused_.contains(e.run())) Complain("after a pause or an abort" + what);
  if (target.in_flight) Complain("two tasks at once on one way" + what);
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
  const auto over = [](const plan::v1::FailureBudget& budget, uint32_t failures, uint32_t accepted, uint32_t hosts) {
    const uint32_t counted = failures - std::min(failures, accepted);
    return counted > 0 && ((budget.has_max_failures() && counted > budget.max_failures()) ||
                           (budget.has_max_percent() && counted * 100 > budget.max_percent() * hosts));
  };
  for (int s = 0; s < plan.header.stages_size(); ++s) {
    for (int w = 0; w < plan.header.stages(s).waves_size(); ++w) {
      uint32_t hosts = 0;
      const uint32_t failures = Failures(e.run(), s, w, &hosts);
      const uint32_t accepted = runs_[e.run()].accepted[{static_cast<uint32_t>(s), static_cast<uint32_t>(w)}];
      if (plan.header.stages(s).has_wave_budget() &&
          over(plan.header.stages(s).wave_budget(), failures, accepted, hosts)) {
        Complain("over the failure budget of a wave" + what);
      }
    }
  }
  uint32_t hosts = 0;
  const uint32_t failures = Failures(e.run(), -1, -1, &hosts);
  if (plan.header.limits().has_budget() &&
      over(plan.header.limits().budget(), failures, runs_[e.run()].accepted_all, hosts)) {
    Complain("over the failure budget of the run" + what);
  }
  target.in_flight = true;
  target.step = e.step();
  target.undoing = e.rollback();
  if (!HasPlace(target.state)) {
    target.state = e.rollback() ? model::v1::TARGET_STATE_ROLLING_BACK : model::v1::TARGET_STATE_ACTIVE;
  }
  dispatched_[{name, e.run(), e.stage(), e.step(), e.attempt(), e.rollback()}] += 1;
}

void Witness::CheckGates(uint64_t run, uint32_t stage, int32_t wave, UnixMs at, bool one_only,
                         const std::string& moment) {
  const Plan& plan = PlanOf(run);
  const plan::v1::Stage& whole = plan.header.stages(static_cast<int>(stage));
  for (int32_t w = -1; w <= wave; ++w) {
    if (one_only && w != wave) continue;
    if (w < 0 ? !whole.has_gate() : !whole.waves(w).has_gate()) continue;
    const plan::v1::Gate& gate = w < 0 ? whole.gate() : whole.waves(w).gate();
    std::set<std::string> approved;
    bool waived = false;
    for (const RealDecision& decision : decisions_) {
      if (decision.run != run || decision.gate != gate.name() || decision.signer == plan.header.requester() ||
          revoked_.contains(decision.signer)) {
        continue;
      }
      if (decision.waive) {
        waived = waived || (decision.may_waive && decision.expires > at);
      } else if (decision.may_approve) {
        approved.insert(decision.signer);
      }
    }
    if (!waived && approved.size() < std::max(1u, gate.quorum())) {
      Complain(absl::StrCat(moment, " without its quorum: run ", run, ", gate ", gate.name(), ", ", approved.size(),
                            " of ", gate.quorum()));
    }
  }
}

// ---- effects ----

void Witness::EffectIsCarriedOut(const engine::Effect& effect) {
  if (const auto* send = std::get_if<engine::SendToAgent>(&effect)) {
    if (send->message.has_task()) TaskIsSent(send->host, send->message.task());
    if (send->message.has_acknowledged() &&
        !finished_.contains(KeyOf(send->host, send->message.acknowledged().key()))) {
      Complain("acknowledged what is not in the journal: " + send->message.ShortDebugString());
    }
    return;
  }
  const auto* reply = std::get_if<engine::Reply>(&effect);
  if (reply == nullptr || !reply->status.ok() || !commands_.contains(reply->ticket)) return;
  // What a person is told is so: nothing is dispatched after it in the journal, and effects follow the journal's order.
  const auto& request = commands_[reply->ticket].request;
  const auto* pause = std::get_if<engine::Command::Pause>(&request);
  if (pause != nullptr && !ever_paused_.contains(pause->run)) Complain("a pause was acknowledged that is not durable");
  if (std::holds_alternative<engine::Command::RaiseStop>(request) && !ever_stopped_) {
    Complain("a stop was acknowledged that is not durable");
  }
}

// One journalled dispatch allows one sending.
void Witness::TaskIsSent(const std::string& host, const agent::v1::Task& task) {
  const auto found = dispatched_.find(KeyOf(host, task.key()));
  if (found == dispatched_.end() || found->second == 0) {
    return Complain("a task was sent that is not in the journal: " + task.key().ShortDebugString());
  }
  found->second -= 1;
}

// ---- the hosts ----

void Witness::RecordIsDurable(const std::string& name, const agent::v1::SpoolRecord& record) {
  Host& host = hosts_[name];
  if (record.has_stop_kept()) host.stopped = record.stop_kept().active();
  if (record.has_attempt_accepted()) host.accepted.insert(KeyOf(name, record.attempt_accepted().key()));
  if (record.has_attempt_intended()) {
    const auto& key = record.attempt_intended().key();
    const std::string action = ActionOf(key.plan_id(), key.stage(), key.step());
    host.intent_of[action] = absl::StrCat(key.attempt(), key.rollback() ? "-" : "+");
  }
}

void Witness::VerbStarts(const std::string& name, const agents::VerbRequest& request) {
  Host& host = hosts_[name];
  if (request.verb == model::v1::VERB_PROBE) host.probed[request.action] = true;
  const bool undo = request.verb == model::v1::VERB_ROLLBACK;
  if (request.verb != model::v1::VERB_APPLY && !undo) return;
  const std::string what = absl::StrCat(" on ", name, ": ", request.action, ", attempt ", request.attempt);
  if (host.stopped) Complain("an effect began on a stopped host" + what);
  if (!host.probed[request.action]) Complain("an effect began without a probe since the last one" + what);
  if (host.intent_of[request.action] != absl::StrCat(request.attempt, undo ? "-" : "+")) {
    Complain("an effect began before its intent was durable" + what);
  }
  host.probed[request.action] = false;
}

void Witness::HostChanges(const std::string& host, const std::string& action, bool done) {
  hosts_[host].done[action] = done;
  effects_ += 1;
}

void Witness::TheEnd() {
  for (const auto& [name, host] : hosts_) {
    for (const AttemptKey& key : host.accepted) {
      if (finished_.contains(key)) continue;
      Complain(absl::StrCat("lost: ", name, " accepted run ", std::get<1>(key), ", stage ", std::get<2>(key), ", step ",
                            std::get<3>(key), ", attempt ", std::get<4>(key),
                            ", and its outcome is not in the journal"));
    }
  }
}

}  // namespace reprise::sim
