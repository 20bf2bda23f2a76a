#include "tests/sim/witness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace reprise::sim {

using journal::v1::Event;

std::string ActionOf(const std::string& plan_id, uint32_t stage, uint32_t step) {
  return absl::StrCat(plan_id, ".", stage, ".", step);
}

void Witness::Complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = what;
}

void Witness::PlanIs(const plan::v1::PlanHeader& header, const std::vector<plan::v1::HostLeaf>& leaves) {
  plans_[header.plan_id()] = {header, leaves};
}

std::string Witness::Describe(const AttemptKey& key) {
  return absl::StrCat("run ", std::get<1>(key), ", stage ", std::get<2>(key), ", step ", std::get<3>(key), ", attempt ",
                      std::get<4>(key), std::get<5>(key) ? " (undoing)" : "");
}

uint32_t Witness::LeafOf(uint64_t run, const std::string& host) {
  const auto& leaves = PlanOf(run).leaves;
  return static_cast<uint32_t>(
      std::find_if(leaves.begin(), leaves.end(), [&](const auto& leaf) { return leaf.host() == host; }) -
      leaves.begin());
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
      return CheckDispatch(event.task_dispatched(), event.at_ms());
    case Event::kTaskAccepted: {
      const auto& e = event.task_accepted();
      Target& target = targets_.at({e.run(), e.stage(), e.host()});
      if (target.in_flight) target.sent = target.sent_again;  // It did not have it before, or it had said so.
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
      const UnixMs took = std::clamp<UnixMs>(e.finished().duration_ms(), 0, target.allowed);
      const Look look = {std::min<UnixMs>(event.at_ms(), target.sent + took), event.at_ms()};
      for (const auto& claim : e.finished().claims()) {
        Claim& known = claims_[{PlanOf(e.run()).leaves[e.host()].host(), claim.name()}];
        if (!look.IsBefore(known.at)) known = {claim.state() == model::v1::CLAIM_STATE_HOLDS, look.at};
      }
      CopiesWereJudged(PlanOf(e.run()).leaves[e.host()].host(), e.finished(), look);
      if (e.has_next()) target.undoing = e.next().rollback();
      CheckOutcome(e);
      Lower(e.run());
      if (e.target_state() != model::v1::TARGET_STATE_SUCCEEDED) return;
      const Plan& plan = PlanOf(e.run());
      const std::string& host = plan.leaves[e.host()].host();
      const plan::v1::Stage& stage = plan.header.stages(static_cast<int>(e.stage()));
      for (uint32_t step = 0; step < static_cast<uint32_t>(stage.steps_size()); ++step) {
        const std::string action = ActionOf(plan.header.plan_id(), e.stage(), step);
        if (!hosts_[host].done[action] && !hosts_[host].flattered.contains(action)) {
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
    case Event::kStageRepeated:
      for (auto& [way, target] : targets_) {
        const auto& [run, stage, leaf] = way;
        if (run != event.stage_repeated().run() || stage != event.stage_repeated().stage()) continue;
        if (PlanOf(run).header.stages(static_cast<int>(stage)).repeat_ms() <= 0) {
          Complain("a stage was done again that is to be done once");
        }
        const bool ended = target.state == model::v1::TARGET_STATE_SUCCEEDED ||
                           (target.state == model::v1::TARGET_STATE_FAILED && target.code != "attempts_exhausted");
        if (!ended) continue;
        target.state = model::v1::TARGET_STATE_WAITING;
        target.code.clear();
      }
      return Lower(event.stage_repeated().run());
    case Event::kHostStatementRecorded: {
      const auto made = statements_.find(event.host_statement_recorded().statement().statement());
      if (made == statements_.end()) return Complain("the journal has a statement about a host that nobody made");
      Stated& newest = recorded_[made->second.host];
      if (made->second.serial > newest.serial) newest = made->second;
      return;
    }
    case Event::kRunPaused:
      paused_.insert(event.run_paused().run());
      ever_paused_.insert(event.run_paused().run());
      return;
    case Event::kRunAborting:
      paused_.insert(event.run_aborting().run());
      return;
    case Event::kRunEnded:  // Tried again, it runs.
      if (event.run_ended().state() == model::v1::RUN_STATE_ABORTED) return;
      paused_.erase(event.run_ended().run());
      told_paused_.erase(event.run_ended().run());
      return;
    case Event::kStopRaised:
      stopped_ = ever_stopped_ = true;
      return;
    case Event::kStopLifted:
      if (!event.actor().starts_with("operator:")) Complain("a stop was lifted by nobody");
      stopped_ = told_stopped_ = false;
      return;
    case Event::kRunResumed: {
      const uint64_t run = event.run_resumed().run();
      if (!event.actor().starts_with("operator:")) Complain("a run was resumed by nobody");
      paused_.erase(run);
      told_paused_.erase(run);
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
      opened_gates_.emplace(event.gate_opened().run(), event.gate_opened().gate());
      return CheckGates(event.gate_opened().run(), event.gate_opened().stage(), event.gate_opened().wave(),
                        event.at_ms(), true, "a gate opened");
    case Event::kWaveStarted:
      // Passed through with nobody in it, it needs nobody's word.
      if (NobodyIsLeft(event.wave_started())) return;
      return CheckGates(event.wave_started().run(), event.wave_started().stage(),
                        static_cast<int32_t>(event.wave_started().wave()), event.at_ms(), false, "a wave started");
    default:
      return;
  }
}

// What the journal says of an attempt is what its host says.
void Witness::CheckOutcome(const journal::v1::TaskFinished& e) {
  outcomes_ += 1;
  const std::string& name = PlanOf(e.run()).leaves[e.host()].host();
  const AttemptKey key = KeyOf(name, e.finished().key());
  if (!finished_.insert(key).second) {
    Complain(absl::StrCat("one attempt has two outcomes in the journal: ", e.ShortDebugString()));
  }
  const Host& host = hosts_[name];
  if (!host.accepted.contains(key)) {
    if (e.finished().outcome() != model::v1::OUTCOME_REFUSED) {
      Complain(absl::StrCat("the journal has an outcome that no agent made, of a task that none accepted: ",
                            e.ShortDebugString()));
    }
    return;
  }
  const auto ended = host.ended.find(key);
  if (ended == host.ended.end() || ended->second != e.finished().outcome()) {
    Complain(absl::StrCat("the journal has an outcome that no agent made: ", e.ShortDebugString()));
  }
}

// ---- effects ----

void Witness::EffectIsCarriedOut(const engine::Effect& effect) {
  if (const auto* send = std::get_if<engine::SendToAgent>(&effect)) {
    if (send->message.has_task()) TaskIsSent(send->host, send->message.task());
    // What no agent accepted and none keeps may be acknowledged: it takes nothing away.
    const AttemptKey key = KeyOf(send->host, send->message.acknowledged().key());
    if (send->message.has_acknowledged() && !finished_.contains(key) && hosts_[send->host].accepted.contains(key)) {
      Complain("acknowledged what is not in the journal: " + send->message.ShortDebugString());
    }
    return;
  }
  const auto* reply = std::get_if<engine::Reply>(&effect);
  if (reply == nullptr || !reply->status.ok() || !commands_.contains(reply->ticket)) return;
  // What a person is told is so, and stays so until somebody says otherwise.
  const auto& request = commands_[reply->ticket].request;
  if (const auto* pause = std::get_if<engine::Command::Pause>(&request)) {
    if (!ever_paused_.contains(pause->run)) Complain("a pause was acknowledged that is not durable");
    if (paused_.contains(pause->run)) told_paused_.insert(pause->run);
  }
  if (const auto* abort = std::get_if<engine::Command::Abort>(&request)) {
    if (!paused_.contains(abort->run)) Complain("an abort was acknowledged that is not durable");
    told_paused_.insert(abort->run);
  }
  if (std::holds_alternative<engine::Command::RaiseStop>(request)) {
    if (!ever_stopped_) Complain("a stop was acknowledged that is not durable");
    told_stopped_ = stopped_;
  }
}

// One journalled dispatch allows one sending.
void Witness::TaskIsSent(const std::string& host, const agent::v1::Task& task) {
  const auto found = dispatched_.find(KeyOf(host, task.key()));
  if (found == dispatched_.end() || found->second == 0) {
    return Complain("a task was sent that is not in the journal: " + task.key().ShortDebugString());
  }
  found->second -= 1;
  if (told_stopped_) Complain("a task was sent after an acknowledged stop: " + task.key().ShortDebugString());
  if (told_paused_.contains(task.key().run())) {
    Complain("a task was sent after an acknowledged pause or abort: " + task.key().ShortDebugString());
  }
}

}  // namespace reprise::sim
