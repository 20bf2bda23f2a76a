// Watches a whole simulation from outside and knows what must never happen. Shares no code with what it checks but the
// messages: it keeps its own small books, from durable events, sent messages and what plugins really did.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "agents/engine/agent_engine.h"
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

  // ---- what it is told ----
  void PlanIs(const plan::v1::PlanHeader& header, const std::vector<plan::v1::HostLeaf>& leaves);
  void Decided(const RealDecision& decision) { decisions_.push_back(decision); }
  void Revoked(const std::string& person) { revoked_.insert(person); }
  void EventIsDurable(const journal::v1::Event& event);
  void EffectIsCarriedOut(const engine::Effect& effect);
  void CommandIsGiven(uint64_t ticket, const engine::Command& command) { commands_[ticket] = command; }
  void RecordIsDurable(const std::string& host, const agent::v1::SpoolRecord& record);
  void VerbStarts(const std::string& host, const agents::VerbRequest& request);
  void HostChanges(const std::string& host, const std::string& action, bool done);
  void TaskIsSent(const std::string& host, const agent::v1::Task& task);

  // At the very end: everything that an agent accepted has its outcome in the journal.
  void TheEnd();

  uint64_t effects() const { return effects_; }
  uint64_t outcomes() const { return outcomes_; }

 private:
  using Way = std::tuple<uint64_t, uint32_t, uint32_t>;  // run, stage, index of the leaf
  using AttemptKey =
      std::tuple<std::string, uint64_t, uint32_t, uint32_t, uint32_t, bool>;  // host, run, stage, step, …
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
  };
  struct Run {
    std::string plan;
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> accepted;  // Failures, by wave.
    uint32_t accepted_all = 0;
  };

  const Plan& PlanOf(uint64_t run) { return plans_.at(runs_.at(run).plan); }
  AttemptKey KeyOf(const std::string& host, const agent::v1::TaskKey& key) const {
    return {host, key.run(), key.stage(), key.step(), key.attempt(), key.rollback()};
  }
  bool Failed(uint64_t run, uint32_t stage, const Target& target);
  uint32_t Failures(uint64_t run, int stage, int wave, uint32_t* hosts);
  void CheckDispatch(const journal::v1::TaskDispatched& event);
  void CheckGates(uint64_t run, uint32_t stage, int32_t wave, UnixMs at, bool one_only, const std::string& moment);
  void Lower(uint64_t run);

  std::string complaint_;
  std::map<std::string, Plan> plans_;
  std::map<uint64_t, Run> runs_;
  std::map<Way, Target> targets_;
  std::map<AttemptKey, uint32_t> dispatched_;  // Dispatches in the journal that were not sent yet.
  std::set<AttemptKey> finished_;
  std::map<std::string, uint64_t> session_;
  std::vector<RealDecision> decisions_;
  std::set<std::string> revoked_;
  std::map<uint64_t, engine::Command> commands_;
  std::set<uint64_t> paused_;  // Or aborted; as the journal has it.
  std::set<uint64_t> ever_paused_;
  bool stopped_ = false;
  bool ever_stopped_ = false;
  uint64_t effects_ = 0;
  uint64_t outcomes_ = 0;

  struct Host {
    std::set<std::string> intended;  // Durable: bytes of the key.
    std::set<AttemptKey> accepted;
    std::map<std::string, bool> probed;            // Since the last effect was begun, by action.
    std::map<std::string, bool> done;              // What the host is really like.
    std::map<std::string, std::string> intent_of;  // The newest durable intent of each action.
    bool stopped = false;
  };
  std::map<std::string, Host> hosts_;
};

// The name by which the simulation's plugins know a step: unique over plans, so that effects can be told apart.
std::string ActionOf(const std::string& plan_id, uint32_t stage, uint32_t step);

}  // namespace reprise::sim
