// What the parts of the engine share while one input is decided: the book, the schedule, the open sessions, the time,
// and the decision being written. An event is applied the moment it is emitted.
// Internal to core/engine.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/engine/book.h"
#include "core/engine/engine.h"
#include "core/engine/schedule.h"

namespace reprise::engine {

// What was said on a stream, so that it need not be said twice. Gone with the stream.
struct SessionMemory {
  std::set<std::string> plans;                                  // Whose authority the agent holds.
  std::map<std::pair<uint64_t, std::string>, int> gates;        // Decisions sent, of each run's gate.
  std::map<TargetId, std::pair<uint32_t, uint32_t>> cancelled;  // Step and attempt that it was asked to end.
  uint64_t stop_serial = 0;  // What the agent knows of the emergency stop: by its hello, and told since.
  bool stopped = false;
};

class Desk {
 public:
  Desk() { book_.NoteIn(&touched_); }

  Book& book() { return book_; }
  const Book& book() const { return book_; }
  Schedule& schedule() { return schedule_; }
  Touched& touched() { return touched_; }
  SessionMemory& SessionOf(const HostBook& host) { return sessions_[&host]; }
  void ForgetSession(const HostBook& host) { sessions_.erase(&host); }
  void ForgetSessions() { sessions_.clear(); }
  // Agents need this plan's authority again.
  void ForgetAuthority(const std::string& plan_id) {
    for (auto& [host, session] : sessions_) session.plans.erase(plan_id);
  }

  UnixMs now() const { return now_; }
  UnixMs started() const { return started_; }  // When this process began to listen.
  void SetStarted() { started_ = now_; }
  const model::Keyring* keyring() const { return book_.keyring(); }
  bool stopped() const { return book_.state().stop().active(); }

  void Begin(UnixMs now) {
    now_ = now;
    actor_ = "coordinator";
    decision_ = {};
  }
  void SetActor(std::string actor) { actor_ = std::move(actor); }
  Decision Finish() { return std::move(decision_); }

  // Folds an event and hands it out to be journalled. An event that the book refuses is a fault of this program:
  // std::logic_error, and the process starts again from its journal.
  void Emit(journal::v1::Event event);
  void Do(Effect effect) { decision_.effects.push_back(std::move(effect)); }
  // The host's session is over; whoever holds its stream open is told apart (DropSession).
  void CloseSession(const HostBook& host, const std::string& reason);
  // Nothing while the host is not connected: what matters is said again when it is.
  void Send(const HostBook& host, agent::v1::CoordinatorMessage message);

 private:
  Book book_;
  Schedule schedule_;
  Touched touched_;
  std::unordered_map<const HostBook*, SessionMemory> sessions_;
  UnixMs now_ = 0;
  UnixMs started_ = 0;
  std::string actor_;
  Decision decision_;
};

}  // namespace reprise::engine
