// A coordinator's engine with a journal in memory, and agents that do as they are told. One input is put to it by hand;
// then it is moved on, and looked at.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/engine.h"

namespace reprise::fuzz {

class Ward {
 public:
  // From nothing.
  explicit Ward(UnixMs now) : now_(now), engine_() {}
  // From a snapshot that is known to be sound.
  Ward(const journal::v1::State& state, std::map<std::string, uint64_t> sessions, UnixMs now);
  // From what was restored already.
  Ward(engine::Engine restored, UnixMs now);

  void Decide(const engine::Input& input);
  template <typename Request>
  absl::Status Do(const std::string& person, const Request& request) {
    engine::Command command;
    command.ticket = 1;
    command.operator_name = person;
    command.request = request;
    last_reply_ = absl::InternalError("no reply");
    Decide(command);
    return last_reply_;
  }
  void Connect(const std::string& host, const agent::v1::Hello& hello);

  // Agents accept and finish what they were sent; time passes. So often, at most.
  void Obey(size_t tasks_max);
  void Wake(size_t times);

  // The journal folded again, and the snapshot restored, give this very state.
  void CheckReplay() const;

  engine::Engine& engine() { return engine_; }
  UnixMs now() const { return now_; }
  const std::map<std::string, uint64_t>& sessions() const { return sessions_; }
  uint64_t SessionOf(const std::string& host) const;
  const std::vector<journal::v1::Event>& events() const { return events_; }
  const std::map<std::string, std::deque<agent::v1::Task>>& tasks() const { return tasks_; }

 private:
  UnixMs now_;
  engine::Engine engine_;
  journal::v1::State began_;  // What events_ follow.
  std::vector<journal::v1::Event> events_;
  std::map<std::string, uint64_t> sessions_;
  std::map<std::string, std::deque<agent::v1::Task>> tasks_;
  absl::Status last_reply_;
  uint64_t last_session_ = 100;
};

}  // namespace reprise::fuzz
