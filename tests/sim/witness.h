// Watches a whole simulation from outside and knows what must never happen. Shares no code with what it checks but the
// messages: it keeps its own small books, from durable events, sent messages and what plugins really did.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "agents/engine/agent_engine.h"
#include "core/base/clock.h"
#include "core/engine/engine.h"

namespace reprise::sim {

// What a person really decided at a gate, by whoever's hand it came.
struct RealDecision {
  std::string signer;
  uint64_t run = 0;
  std::string gate;
  bool waive = false;
  UnixMs expires = 0;
  bool may_approve = false;  // Of the roles and the gate's approvers; never the requester.
  bool may_waive = false;
};

class Witness {
 public:
  // The first thing that must not happen; empty: none did.
  const std::string& complaint() const { return complaint_; }
  void Complain(const std::string& what);

  // ---- what people really do ----
  void PlanIs(const plan::v1::PlanHeader& header, const std::vector<plan::v1::HostLeaf>& leaves);
  void PlanIsSigned(const std::string& plan_id) { signed_.insert(plan_id); }
  void Decided(const RealDecision& decision) { decisions_.push_back(decision); }
  void Revoked(const std::string& person) { revoked_.insert(person); }
  // A statement about a host was made; `forbids`: nothing may change on it (evidence hold, quarantine).
  void HostIsStated(const std::string& host, const std::string& statement, uint64_t serial, bool forbids) {
    statements_[statement] = {host, serial, forbids};
  }

  // ---- what the coordinator does ----
  void EventIsDurable(const journal::v1::Event& event);
  void EffectIsCarriedOut(const engine::Effect& effect);
  void CommandIsGiven(uint64_t ticket, const engine::Command& command) { commands_[ticket] = command; }

  // ---- what the hosts do ----
  // `at`: by the host's clock, when it was decided.
  void RecordIsDurable(const std::string& host, const agent::v1::SpoolRecord& record, UnixMs at);
  // A process began, and this is what it knows to be unfinished or unacknowledged.
  void AgentRemembers(const std::string& host, const std::vector<agent::v1::TaskKey>& in_flight,
                      const std::vector<agent::v1::Finished>& unacknowledged);
  // `running`: verbs under way on the host.
  void AgentSays(const std::string& host, const agent::v1::AgentMessage& message, size_t running);
  void VerbStarts(const std::string& host, const agents::VerbRequest& request);
  void HostChanges(const std::string& host, const std::string& action, bool done);
  void PluginFlatters(const std::string& host, const std::string& action) { hosts_[host].flattered.insert(action); }

  // Whether people decided the gate: enough of them, none of them the requester. `by_now`: revoked people do not count.
  bool IsOpen(uint64_t run, const plan::v1::Gate& gate, UnixMs at, bool by_now);
  bool IsFinished(const std::string& host, const agent::v1::TaskKey& key) const {
    return finished_.contains(KeyOf(host, key));
  }

  bool HasAccepted(const std::string& host, const std::string& plan_id) const {
    const auto known = hosts_.find(host);
    return known != hosts_.end() &&
           std::any_of(known->second.accepted.begin(), known->second.accepted.end(),
                       [&](const AttemptKey& key) { return std::get<6>(key) == plan_id; });
  }

  // At the very end: everything that an agent accepted has its outcome in the journal, and it knows that.
  void TheEnd();

  uint64_t effects() const { return effects_; }
  uint64_t outcomes() const { return outcomes_; }

 private:
  using Way = std::tuple<uint64_t, uint32_t, uint32_t>;  // run, stage, index of the leaf
  // host, run, stage, step, attempt, rollback, plan
  using AttemptKey = std::tuple<std::string, uint64_t, uint32_t, uint32_t, uint32_t, bool, std::string>;
  struct Plan {
    plan::v1::PlanHeader header;
    std::vector<plan::v1::HostLeaf> leaves;
  };
  struct Target {
    model::v1::TargetState state = model::v1::TARGET_STATE_WAITING;
    std::string code;
    bool undoing = false;
    bool in_flight = false;
    uint32_t step = 0;
    uint32_t wave = 0;
    UnixMs sent = 0;        // The attempt, for the first time; or when the agent took it.
    UnixMs sent_again = 0;  // Last.
    UnixMs allowed = 0;     // How long it may take.
  };
  struct Run {
    std::string plan;
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> accepted;  // Failures, by wave.
    uint32_t accepted_all = 0;
  };

  const Plan& PlanOf(uint64_t run) { return plans_.at(runs_.at(run).plan); }
  AttemptKey KeyOf(const std::string& host, const agent::v1::TaskKey& key) const {
    return {host, key.run(), key.stage(), key.step(), key.attempt(), key.rollback(), key.plan_id()};
  }
  static std::string Describe(const AttemptKey& key);
  // REQUIRES: the run's plan names the host.
  uint32_t LeafOf(uint64_t run, const std::string& host);
  bool Failed(uint64_t run, uint32_t stage, const Target& target);
  uint32_t Failures(uint64_t run, int stage, int wave, uint32_t* hosts);
  void CheckDispatch(const journal::v1::TaskDispatched& event, UnixMs at);
  // By the claims that outcomes in the journal brought.
  void CheckRequirements(const plan::v1::Stage& stage, UnixMs at, const std::string& what);
  // By the judgements that outcomes in the journal brought, and by the coordinator's clock.
  void CheckCopy(const plan::v1::Step& step, UnixMs at, const std::string& what);
  // By the plan alone, and by the host's clock.
  void CheckCopyOnHost(const plan::v1::Step& step, UnixMs at, const std::string& what);
  // No later than what was found was looked at, and when it was told: what was looked at later counts, whenever it comes.
  struct Look {
    UnixMs at = 0;
    UnixMs heard = 0;
    bool IsBefore(UnixMs known) const { return at < known && known <= heard; }
  };
  void CopiesWereJudged(const std::string& reader, const agent::v1::Finished& finished, const Look& look);
  void CheckBudgets(uint64_t run, const std::string& what);
  void CheckOutcome(const journal::v1::TaskFinished& event);
  void CheckPermission(const std::string& host, const agent::v1::TaskKey& key, UnixMs at, const std::string& moment);
  void TaskIsSent(const std::string& host, const agent::v1::Task& task);
  void CheckGates(uint64_t run, uint32_t stage, int32_t wave, UnixMs at, bool one_only, const std::string& moment);
  bool NobodyIsLeft(const journal::v1::WaveStarted& event) const;
  // No task is sent that a gate holds back which was never opened.
  void CheckOpened(const journal::v1::TaskDispatched& event, uint32_t wave, const std::string& what);
  void Lower(uint64_t run);

  std::string complaint_;
  std::map<std::string, Plan> plans_;
  std::map<uint64_t, Run> runs_;
  std::map<Way, Target> targets_;
  std::map<AttemptKey, uint32_t> dispatched_;  // Dispatches in the journal that were not sent yet.
  std::set<AttemptKey> finished_;
  struct Claim {
    bool holds = false;
    UnixMs at = 0;
  };
  std::map<std::pair<std::string, std::string>, Claim> claims_;  // By host and name: the newest.
  struct Judgement {
    model::v1::BackupVerdict verdict = model::v1::BACKUP_VERDICT_UNSPECIFIED;
    std::string manifest;
    UnixMs at = 0;
  };
  std::map<std::tuple<std::string, std::string, std::string>, Judgement> judged_;  // By reader, set, copy: the newest.
  std::set<std::string> signed_;
  struct Stated {
    std::string host;
    uint64_t serial = 0;
    bool forbids = false;
  };
  std::map<std::string, Stated> statements_;  // By their bytes.
  std::map<std::string, Stated> recorded_;    // By host: the newest in the journal.
  std::vector<RealDecision> decisions_;
  std::set<std::pair<uint64_t, std::string>> opened_gates_;  // By run; as the journal has it.
  std::set<std::string> revoked_;
  std::map<uint64_t, engine::Command> commands_;
  std::set<uint64_t> paused_;  // Or aborted; as the journal has it.
  std::set<uint64_t> ever_paused_;
  std::set<uint64_t> told_paused_;  // Somebody was told so, and it is still so.
  bool stopped_ = false;
  bool ever_stopped_ = false;
  bool told_stopped_ = false;
  uint64_t effects_ = 0;
  uint64_t outcomes_ = 0;

  struct Host {
    // Of durable records.
    std::set<AttemptKey> accepted;
    std::map<AttemptKey, model::v1::Outcome> ended;
    std::set<AttemptKey> acknowledged;
    std::set<std::string> open_gates;              // Through which it was let: plan and gate.
    std::map<std::string, std::string> intent_of;  // The newest intent of each action.
    uint64_t serial = 0;
    bool forbidden = false;
    bool stopped = false;
    // Of what really is.
    std::map<std::string, bool> probed;  // Since the last effect was begun, by action.
    std::map<std::string, bool> done;
    std::set<std::string> flattered;  // A plugin said good of what was not: nobody could know better.
  };
  std::map<std::string, Host> hosts_;
};

// The name by which the simulation's plugins know a step: unique over plans, so that effects can be told apart.
std::string ActionOf(const std::string& plan_id, uint32_t stage, uint32_t step);

}  // namespace reprise::sim
