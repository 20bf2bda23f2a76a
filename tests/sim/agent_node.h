// One host: the agent's process around the real agent engine, its spool, its plugins, and what the host is really like.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/engine/agent_engine.h"
#include "tests/sim/clockwork.h"
#include "tests/sim/durable_log.h"
#include "tests/sim/faults.h"
#include "tests/sim/network.h"
#include "tests/sim/witness.h"

namespace reprise::sim {

class AgentNode {
 public:
  AgentNode(std::string host, const std::vector<agent::v1::SpoolRecord>& enrolled, Clockwork& clockwork,
            Network& network, Witness& witness, const Faults& faults, const Bugs& bugs, const bool& coordinator_up);

  void Start();
  void Crash(const char* how);
  void Hear(uint64_t link, const agent::v1::CoordinatorMessage& message);
  void LinkIsLost(uint64_t link);

  // What the plugins find there.
  void SetReality(const std::string& action, bool done);
  void StepClock(int64_t by);
  // Nothing under way, nothing to tell.
  bool IsQuiet() const;
  // The spool read again gives what is in memory, and its chain holds.
  void CheckRestore();

 private:
  struct Running {
    agents::VerbRequest request;
    bool killed = false;
    bool stuck = false;
  };
  struct Held {
    agents::Decision decision;
    UnixMs at = 0;  // By this host's clock, when it was decided.
  };
  void Decide(const agents::Input& input);
  void Commit();
  bool SpoolRefuses();
  void CarryOut(const agents::Effect& effect);
  void Wake();
  void Connect();
  void StartVerb(const agents::VerbRequest& request);
  void Kill(uint64_t id);
  void EndVerb(uint64_t id, agents::VerbEnd end, const std::string& result);
  void Fetch(uint64_t id);
  std::vector<agent::v1::SpoolRecord> Records() const;
  UnixMs Clock() const { return clockwork_.now() + clock_offset_; }
  // Runs it in this life of the process only.
  void After(int64_t ms, std::function<void()> what);

  std::string host_;
  DurableLog spool_;
  Clockwork& clockwork_;
  Network& network_;
  Witness& witness_;
  const Faults& faults_;
  const Bugs& bugs_;
  const bool& coordinator_up_;
  std::unique_ptr<agents::AgentEngine> engine_;
  uint64_t life_ = 0;
  uint64_t link_ = 0;  // 0: not connected.
  int64_t clock_offset_ = 0;
  UnixMs wake_at_ = 0;
  UnixMs full_until_ = 0;
  std::vector<Held> undurable_;
  bool commit_due_ = false;
  std::map<uint64_t, Running> running_;
  std::map<uint64_t, bool> fetching_;
  std::map<std::string, bool> reality_;
};

}  // namespace reprise::sim
