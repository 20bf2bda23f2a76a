#include "tests/fuzz/ward.h"

#include <algorithm>

#include "tests/fuzz/target.h"

namespace reprise::fuzz {

using engine::Engine;

Ward::Ward(const journal::v1::State& state, std::map<std::string, uint64_t> sessions, UnixMs now)
    : now_(now), began_(state), sessions_(std::move(sessions)) {
  auto restored = Engine::Restore(state);
  Check(restored.ok(), "a snapshot of a live engine can be restored", restored.status().ToString());
  engine_ = *std::move(restored);
}

Ward::Ward(Engine restored, UnixMs now) : now_(now), engine_(std::move(restored)), began_(engine_.state()) {}

void Ward::Decide(const engine::Input& input) {
  engine::Decision decision = engine_.Decide(input, now_);
  for (auto& event : decision.events) events_.push_back(std::move(event));
  for (engine::Effect& effect : decision.effects) {
    if (auto* send = std::get_if<engine::SendToAgent>(&effect)) {
      if (send->message.has_task()) tasks_[send->host].push_back(send->message.task());
    } else if (auto* reply = std::get_if<engine::Reply>(&effect)) {
      last_reply_ = reply->status;
    }
  }
}

void Ward::Connect(const std::string& host, const agent::v1::Hello& hello) {
  sessions_[host] = ++last_session_;
  Decide(engine::SessionOpened{host, last_session_, hello, "10.0.0.1"});
}

uint64_t Ward::SessionOf(const std::string& host) const {
  const auto found = sessions_.find(host);
  return found == sessions_.end() ? 0 : found->second;
}

void Ward::Obey(size_t tasks_max) {
  for (bool again = true; again && tasks_max > 0;) {
    again = false;
    for (auto& [host, waiting] : tasks_) {
      if (waiting.empty() || tasks_max == 0) continue;
      again = true;
      --tasks_max;
      const agent::v1::TaskKey key = waiting.front().key();
      waiting.pop_front();
      agent::v1::AgentMessage accepted, finished;
      *accepted.mutable_accepted()->mutable_key() = key;
      *finished.mutable_finished()->mutable_key() = key;
      finished.mutable_finished()->set_outcome(tasks_max % 5 == 0 ? model::v1::OUTCOME_FAILED
                                                                  : model::v1::OUTCOME_CHANGED);
      Decide(engine::AgentSaid{host, SessionOf(host), accepted});
      Decide(engine::AgentSaid{host, SessionOf(host), finished});
    }
  }
}

void Ward::Wake(size_t times) {
  for (; times > 0 && engine_.NextWake() != INT64_MAX; --times) {
    now_ = std::max(now_, engine_.NextWake());
    Decide(engine::Tick{});
    Check(engine_.NextWake() > now_, "an engine that was just woken wants to be woken later");
  }
}

void Ward::CheckReplay() const {
  auto again = Engine::Restore(began_);
  Check(again.ok(), "what was restored once can be restored again", again.status().ToString());
  for (const auto& event : events_) {
    const absl::Status status = again->Apply(event);
    Check(status.ok(), "an event of the engine's own is legal in a replay", status.ToString());
  }
  Check(again->Snapshot() == engine_.Snapshot(), "a replayed engine equals the live one");
  auto restored = Engine::Restore(engine_.state());
  Check(restored.ok(), "a snapshot of a live engine can be restored", restored.status().ToString());
  Check(restored->Snapshot() == engine_.Snapshot(), "a restored engine equals the one that was saved");
}

}  // namespace reprise::fuzz
