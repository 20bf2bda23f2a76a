#include "tests/sim/coordinator_node.h"

#include <algorithm>
#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace reprise::sim {
CoordinatorNode::CoordinatorNode(Clockwork& clockwork, Network& network, Witness& witness, const Faults& faults,
                                 const Bugs& bugs)
    : clockwork_(clockwork), network_(network), witness_(witness), faults_(faults), bugs_(bugs) {}

std::unique_ptr<engine::Engine> CoordinatorNode::Replay(bool from_snapshot) {
  auto engine = std::make_unique<engine::Engine>();
  size_t from = 0;
  if (from_snapshot && snapshot_at_ > 0) {
    journal::v1::State state;
    state.ParseFromString(snapshot_);
    auto restored = engine::Engine::Restore(std::move(state));
    if (!restored.ok()) {
      witness_.Complain("the snapshot cannot be restored: " + restored.status().ToString());
      return engine;
    }
    *engine = *std::move(restored);
    from = snapshot_at_;
  }
  if (const std::string fault = journal_.FaultOfChain(from); !fault.empty()) witness_.Complain("journal: " + fault);
  for (size_t i = from; i < journal_.records().size(); ++i) {
    journal::v1::Event event;
    event.ParseFromString(journal_.records()[i].payload);
    if (absl::Status status = engine->Apply(event); !status.ok()) {
      witness_.Complain("the journal cannot be replayed: " + status.ToString());
      return engine;
    }
  }
  return engine;
}

void CoordinatorNode::Start() {
  life_ += 1;
  clockwork_.Trace("coordinator starts");
  journal_.Recover();
  mirror_ = Replay(false);
  engine_ = Replay(clockwork_.Chance(0.5));
  if (engine_->Snapshot() != mirror_->Snapshot()) witness_.Complain("snapshot and rest are not what a replay gives");
  wake_at_ = kNever;
  Give(engine::Started{"sim"});
}

void CoordinatorNode::Crash(const char* how) {
  if (!up()) return;
  clockwork_.Count(absl::StrCat("coordinator dies ", how));
  clockwork_.Trace(absl::StrCat("coordinator dies ", how));
  life_ += 1;
  engine_.reset();
  undurable_.clear();
  commit_due_ = false;
  greeted_.clear();
  network_.CloseAllByCoordinator();
  clockwork_.After(clockwork_.Between(10, clockwork_.Chance(0.2) ? 120'000 : 3000), [this] { Start(); });
}

void CoordinatorNode::Give(const engine::Input& input) {
  if (!up()) return;
  engine::Decision decision;
  try {
    decision = engine_->Decide(input, Clock());
  } catch (const std::logic_error& error) {
    return witness_.Complain(absl::StrCat("the coordinator's engine gave up: ", error.what()));
  }
  if (bugs_.coordinator_effects_before_append) {
    for (const auto& effect : std::exchange(decision.effects, {})) CarryOut(effect);
  }
  undurable_.push_back(std::move(decision));
  if (!std::exchange(commit_due_, true)) {
    clockwork_.After(clockwork_.Between(0, 15), [this, life = life_] {
      if (life == life_) Commit();
    });
  }
  Wake();
}

void CoordinatorNode::Wake() {
  const UnixMs at = engine_->NextWake();
  if (at == kNever || at == wake_at_) return;
  wake_at_ = at;
  clockwork_.After(at - Clock(), [this, life = life_, at] {
    if (life != life_ || wake_at_ != at) return;
    wake_at_ = kNever;
    Give(engine::Tick{});
  });
}

void CoordinatorNode::StepClock(int64_t by) {
  clockwork_.Trace(absl::StrCat("coordinator's clock steps by ", by));
  clock_offset_ += by;
  wake_at_ = kNever;
  if (up()) Wake();
}

void CoordinatorNode::Append(const std::vector<journal::v1::Event>& events) {
  for (const auto& event : events) {
    if (bugs_.journal_drops_events && event.has_task_accepted() && clockwork_.Chance(0.05)) continue;
    std::string payload = event.SerializeAsString();
    // Without signatures, which are made with fresh keys each time.
    const bool of_a_run = event.kind_case() >= journal::v1::Event::kTaskDispatched;
    clockwork_.Trace(of_a_run ? event.ShortDebugString()
                              : absl::StrCat("event ", static_cast<int>(event.kind_case()), " of ", event.actor()));
    journal::v1::Event read;
    read.ParseFromString(payload);
    journal_.Append({std::move(payload)});
    if (absl::Status status = mirror_->Apply(read); !status.ok()) {
      witness_.Complain("the journal cannot be replayed: " + status.ToString());
    }
    witness_.EventIsDurable(event);
    if (event.has_keyring_extended() && engine_->keyring() != nullptr) {
      for (const auto& [name, person] : engine_->keyring()->operators()) {
        if (!person.active) witness_.Revoked(name);
      }
    }
  }
  if (mirror_->Snapshot() != engine_->Snapshot()) witness_.Complain("replay does not give the live state");
}

bool CoordinatorNode::JournalRefuses() {
  if (clockwork_.Strikes("journal full", faults_.journal_full)) {
    full_until_ = clockwork_.now() + clockwork_.Between(1, 90'000);
  }
  return clockwork_.now() < full_until_;
}

void CoordinatorNode::Commit() {
  commit_due_ = false;
  if (clockwork_.Chance(faults_.coordinator_crash)) return Crash("before a write");
  std::vector<engine::Decision> decisions = std::exchange(undurable_, {});
  std::vector<journal::v1::Event> events;
  for (auto& decision : decisions) {
    std::move(decision.events.begin(), decision.events.end(), std::back_inserter(events));
  }
  if (!events.empty()) {
    // It goes back to what is durable and answers nobody.
    if (JournalRefuses()) return Crash("as its journal refuses");
    if (clockwork_.Chance(faults_.coordinator_crash)) {
      std::vector<std::string> group;
      for (const auto& event : events) group.push_back(event.SerializeAsString());
      journal_.Tear(group, static_cast<size_t>(clockwork_.Between(0, static_cast<int64_t>(group.size()))));
      return Crash("in a write, which is torn");
    }
    Append(events);
  }
  if (clockwork_.Chance(faults_.coordinator_crash)) return Crash("after a write");
  for (const auto& decision : decisions) {
    for (const auto& effect : decision.effects) {
      CarryOut(effect);
      if (clockwork_.Chance(faults_.coordinator_crash / 8)) return Crash("among its effects");
    }
  }
  if (undurable_.empty() && clockwork_.Chance(0.02)) SaveSnapshot();
}

void CoordinatorNode::SaveSnapshot() {
  if (clockwork_.Strikes("snapshot not written", faults_.coordinator_crash > 0 ? 0.1 : 0)) return;
  snapshot_ = engine_->Snapshot();
  snapshot_at_ = journal_.records().size();
}

void CoordinatorNode::CarryOut(const engine::Effect& effect) {
  witness_.EffectIsCarriedOut(effect);
  if (const auto* send = std::get_if<engine::SendToAgent>(&effect)) {
    clockwork_.Trace(absl::StrCat("to ", send->host, ": ", static_cast<int>(send->message.kind_case())));
    network_.Down(send->session, send->message);
  } else if (const auto* drop = std::get_if<engine::DropSession>(&effect)) {
    network_.CloseByCoordinator(drop->session);
  } else if (const auto* reply = std::get_if<engine::Reply>(&effect)) {
    clockwork_.Trace(absl::StrCat("reply ", static_cast<int>(reply->status.code()), " ", reply->subject));
  }
}

void CoordinatorNode::Command(engine::Command command) {
  if (!up()) return;
  command.ticket = ++ticket_;
  witness_.CommandIsGiven(command.ticket, command);
  Give(command);
}

void CoordinatorNode::Hear(const std::string& host, uint64_t link, const agent::v1::AgentMessage& message) {
  if (!up()) return;
  clockwork_.Trace(absl::StrCat("from ", host, ": ", static_cast<int>(message.kind_case())));
  if (message.has_hello()) {
    greeted_[link] = true;
    return Give(engine::SessionOpened{host, link, message.hello(), "10.0.0.1"});
  }
  if (greeted_[link]) Give(engine::AgentSaid{host, link, message});
}

void CoordinatorNode::LinkIsLost(const std::string& host, uint64_t link) {
  if (up() && greeted_[link]) Give(engine::SessionClosed{host, link, "lost"});
}

std::vector<std::string> CoordinatorNode::Journal() const {
  std::vector<std::string> payloads;
  for (const auto& record : journal_.records()) payloads.push_back(record.payload);
  return payloads;
}

void CoordinatorNode::CheckReplay() {
  if (!up() || !undurable_.empty()) return;
  if (Replay(false)->Snapshot() != engine_->Snapshot()) witness_.Complain("replay does not give the live state");
  if (Replay(true)->Snapshot() != engine_->Snapshot()) {
    witness_.Complain("snapshot and rest are not what a replay gives");
  }
}

}  // namespace reprise::sim
