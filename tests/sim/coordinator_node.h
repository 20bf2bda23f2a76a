// The coordinator's process around the real engine: decisions wait for a common commit, effects wait for the commit,
// and it may die at any moment in between. Its journal survives it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "tests/sim/clockwork.h"
#include "tests/sim/faults.h"
#include "tests/sim/network.h"
#include "tests/sim/witness.h"

namespace reprise::sim {

class CoordinatorNode {
 public:
  CoordinatorNode(Clockwork& clockwork, Network& network, Witness& witness, const Faults& faults, const Bugs& bugs);

  void Start();
  void Crash(const std::string& why);
  bool up() const { return engine_ != nullptr; }
  // REQUIRES: up().
  const engine::Engine& engine() const { return *engine_; }

  void Give(const engine::Input& input);
  // Gives a command; whether it was answered, and how, is for the witness to see.
  void Command(engine::Command command);
  // An agent's message; the first of a connection opens the session.
  void Hear(const std::string& host, uint64_t link, const agent::v1::AgentMessage& message);
  void LinkIsLost(const std::string& host, uint64_t link);

  // The journal read again gives what is in memory, and its chain holds.
  void CheckReplay();
  size_t events() const { return journal_.size(); }
  std::vector<std::string> Journal() const {
    std::vector<std::string> payloads;
    for (const Record& record : journal_) payloads.push_back(record.payload);
    return payloads;
  }

 private:
  struct Record {
    std::string hash;
    std::string payload;
  };
  void Commit();
  bool Append(const std::vector<journal::v1::Event>& events);
  void CarryOut(const engine::Effect& effect);
  void Wake();
  std::unique_ptr<engine::Engine> Replay(bool from_snapshot);
  // The planted bug: the requester's own signature opens the gate.
  void CountRequester(const engine::Command& command);

  Clockwork& clockwork_;
  Network& network_;
  Witness& witness_;
  const Faults& faults_;
  const Bugs& bugs_;
  std::unique_ptr<engine::Engine> engine_;
  uint64_t life_ = 0;
  std::vector<Record> journal_;
  std::string snapshot_;
  size_t snapshot_at_ = 0;
  std::vector<engine::Decision> undurable_;
  bool commit_due_ = false;
  UnixMs wake_at_ = 0;
  uint64_t ticket_ = 0;
  std::map<uint64_t, bool> greeted_;  // Links whose hello was heard.
};

}  // namespace reprise::sim
