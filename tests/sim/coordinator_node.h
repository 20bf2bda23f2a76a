// The coordinator's process around the real engine: decisions wait for a common commit, effects wait for the commit,
// and it may die at any moment in between. Its journal survives it. Beside it stands a mirror that is told nothing but
// what the journal holds: after every commit the two must be the same.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "tests/sim/clockwork.h"
#include "tests/sim/durable_log.h"
#include "tests/sim/faults.h"
#include "tests/sim/network.h"
#include "tests/sim/witness.h"

namespace reprise::sim {

class CoordinatorNode {
 public:
  CoordinatorNode(Clockwork& clockwork, Network& network, Witness& witness, const Faults& faults, const Bugs& bugs);

  void Start();
  void Crash(const char* how);
  bool up() const { return engine_ != nullptr; }
  // REQUIRES: up().
  const engine::Engine& engine() const { return *engine_; }

  void Give(const engine::Input& input);
  // Gives a command; whether it was answered, and how, is for the witness to see.
  void Command(engine::Command command);
  // An agent's message; the first of a connection opens the session.
  void Hear(const std::string& host, uint64_t link, const agent::v1::AgentMessage& message);
  void LinkIsLost(const std::string& host, uint64_t link);

  UnixMs Clock() const { return clockwork_.now() + clock_offset_; }
  void StepClock(int64_t by);
  int64_t clock_offset() const { return clock_offset_; }

  // The journal read again, whole and from its snapshot on, gives what is in memory, and its chain holds.
  void CheckReplay();
  size_t events() const { return journal_.records().size(); }
  std::vector<std::string> Journal() const;

 private:
  void Commit();
  bool JournalRefuses();
  void Append(const std::vector<journal::v1::Event>& events);
  void CarryOut(const engine::Effect& effect);
  void Wake();
  void SaveSnapshot();
  std::unique_ptr<engine::Engine> Replay(bool from_snapshot);

  Clockwork& clockwork_;
  Network& network_;
  Witness& witness_;
  const Faults& faults_;
  const Bugs& bugs_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Engine> mirror_;
  uint64_t life_ = 0;
  DurableLog journal_;
  UnixMs full_until_ = 0;
  std::string snapshot_;
  size_t snapshot_at_ = 0;
  std::vector<engine::Decision> undurable_;
  bool commit_due_ = false;
  UnixMs wake_at_ = 0;
  int64_t clock_offset_ = 0;
  uint64_t ticket_ = 0;
  std::map<uint64_t, bool> greeted_;  // Links whose hello was heard.
};

}  // namespace reprise::sim
