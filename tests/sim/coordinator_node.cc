#include "tests/sim/coordinator_node.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/model/statements.h"

namespace reprise::sim {
namespace {

std::string Chain(const std::string& previous, uint64_t sequence, const std::string& payload) {
  return crypto::Sha256(absl::StrCat(previous, "|", sequence, "|", payload));
}

}  // namespace

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
  std::string previous = from == 0 ? "" : journal_[from - 1].hash;
  for (size_t i = from; i < journal_.size(); ++i) {
    if (journal_[i].hash != Chain(previous, i + 1, journal_[i].payload)) {
      witness_.Complain(absl::StrCat("the journal's chain is broken at ", i + 1));
    }
    previous = journal_[i].hash;
    journal::v1::Event event;
    event.ParseFromString(journal_[i].payload);
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
  engine_ = Replay(clockwork_.Chance(0.5));
  wake_at_ = std::numeric_limits<UnixMs>::max();
  Give(engine::Started{"sim"});
}

void CoordinatorNode::Crash(const std::string& why) {
  if (!up()) return;
  clockwork_.Trace("coordinator dies " + why);
  life_ += 1;
  engine_.reset();
  undurable_.clear();
  commit_due_ = false;
  greeted_.clear();
  network_.CutAll();
  clockwork_.After(clockwork_.Between(10, clockwork_.Chance(0.2) ? 120'000 : 3000), [this] { Start(); });
}

void CoordinatorNode::Give(const engine::Input& input) {
  if (!up()) return;
  engine::Decision decision = engine_->Decide(input, clockwork_.now());
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
  if (at == std::numeric_limits<UnixMs>::max() || at == wake_at_) return;
  wake_at_ = at;
  clockwork_.After(at - clockwork_.now(), [this, life = life_, at] {
    if (life != life_ || wake_at_ != at) return;
    wake_at_ = std::numeric_limits<UnixMs>::max();
    Give(engine::Tick{});
  });
}

bool CoordinatorNode::Append(const std::vector<journal::v1::Event>& events) {
  for (const auto& event : events) {
    if (bugs_.journal_drops_events && event.has_task_accepted() && clockwork_.Chance(0.05)) continue;
    std::string payload = event.SerializeAsString();
    std::string hash = Chain(journal_.empty() ? "" : journal_.back().hash, journal_.size() + 1, payload);
    journal_.push_back({std::move(hash), std::move(payload)});
    // Without signatures, which are made with fresh keys each time.
    const bool of_a_run = event.kind_case() >= journal::v1::Event::kTaskDispatched;
    clockwork_.Trace(of_a_run ? event.ShortDebugString()
                              : absl::StrCat("event ", static_cast<int>(event.kind_case()), " of ", event.actor()));
    witness_.EventIsDurable(event);
    if (event.has_keyring_extended() && engine_->keyring() != nullptr) {
      for (const auto& [name, person] : engine_->keyring()->operators()) {
        if (!person.active) witness_.Revoked(name);
      }
    }
  }
  return true;
}

void CoordinatorNode::Commit() {
  commit_due_ = false;
  if (clockwork_.Chance(faults_.coordinator_crash)) return Crash("before the commit");
  if (clockwork_.Chance(faults_.journal_refusal)) return Crash("because the journal refuses");
  std::vector<engine::Decision> decisions = std::exchange(undurable_, {});
  std::vector<journal::v1::Event> events;
  for (auto& decision : decisions)
    std::move(decision.events.begin(), decision.events.end(), std::back_inserter(events));
  Append(events);
  if (clockwork_.Chance(faults_.coordinator_crash)) return Crash("after the commit");
  for (const auto& decision : decisions) {
    for (const auto& effect : decision.effects) {
      CarryOut(effect);
      if (clockwork_.Chance(faults_.coordinator_crash / 4)) return Crash("in the middle of its effects");
    }
  }
  if (undurable_.empty() && clockwork_.Chance(0.01)) {
    CheckReplay();
    snapshot_ = engine_->Snapshot();
    snapshot_at_ = journal_.size();
  }
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
  if (bugs_.requester_counts_at_gates) CountRequester(command);
}

void CoordinatorNode::CountRequester(const engine::Command& command) {
  const auto* sign = std::get_if<operators::v1::SignGateRequest>(&command.request);
  const auto statement =
      sign == nullptr ? absl::NotFoundError("") : model::GateStatement::Read(sign->statement().statement());
  if (!statement.ok() || statement->signer != "bob") return;
  const auto* run = engine_->FindRun(statement->run);
  for (const auto& gate : run->gates()) {
    if (gate.name() != statement->gate || gate.state() != model::v1::GATE_STATE_READY) continue;
    journal::v1::Event event;
    event.set_at_ms(clockwork_.now());
    event.mutable_gate_opened()->set_run(run->id());
    event.mutable_gate_opened()->set_stage(gate.stage());
    event.mutable_gate_opened()->set_wave(gate.wave());
    event.mutable_gate_opened()->set_gate(gate.name());
    event.mutable_gate_opened()->set_state(model::v1::GATE_STATE_PASSED);
    if (engine_->Apply(event).ok()) undurable_.push_back({{event}, {}});
    return;
  }
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

void CoordinatorNode::CheckReplay() {
  if (!up() || !undurable_.empty()) return;
  if (Replay(false)->Snapshot() != engine_->Snapshot()) witness_.Complain("replay does not give the live state");
  if (Replay(true)->Snapshot() != engine_->Snapshot())
    witness_.Complain("snapshot and rest do not give the live state");
}

}  // namespace reprise::sim
