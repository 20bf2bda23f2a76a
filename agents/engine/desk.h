// What the parts of the engine share while one input is decided: the memory, the time, the decision being written.
// Internal to agents/engine.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "agents/engine/agent_engine.h"
#include "agents/engine/memory.h"

namespace reprise::agents {

class Desk {
 public:
  Desk(Memory memory, AgentOptions options) : memory_(std::move(memory)), options_(options) {}

  const Memory& memory() const { return memory_; }
  const AgentOptions& options() const { return options_; }
  UnixMs now() const { return now_; }
  uint64_t session() const { return session_; }  // 0: not connected.
  void SetSession(uint64_t session) { session_ = session; }
  // One space for verbs and fetches, so that a mixed-up answer matches nothing.
  uint64_t NextId() { return ++last_id_; }

  void Begin(UnixMs now) {
    now_ = now;
    decision_ = {};
  }
  Decision Finish() { return std::move(decision_); }

  // Folds a record and hands it out to be made durable. A record that the memory refuses is a fault of this program:
  // std::logic_error, and the process starts again from its spool.
  void Keep(agent::v1::SpoolRecord record);
  void Do(Effect effect) { decision_.effects.push_back(std::move(effect)); }
  // Nothing while there is no coordinator to hear it.
  void Say(agent::v1::AgentMessage message);
  void Say(const agent::v1::Finished& finished);
  void Note(std::string text) { Do(Warn{std::move(text)}); }

 private:
  Memory memory_;
  AgentOptions options_;
  UnixMs now_ = 0;
  uint64_t session_ = 0;
  uint64_t last_id_ = 0;
  Decision decision_;
};

}  // namespace reprise::agents
