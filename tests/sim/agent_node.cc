#include "tests/sim/agent_node.h"

#include <algorithm>
#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace reprise::sim {
namespace {

std::vector<std::string> BytesOf(const std::vector<agent::v1::SpoolRecord>& records) {
  std::vector<std::string> bytes;
  for (const auto& record : records) bytes.push_back(record.SerializeAsString());
  return bytes;
}

}  // namespace

AgentNode::AgentNode(std::string host, const std::vector<agent::v1::SpoolRecord>& enrolled, Clockwork& clockwork,
                     Network& network, Witness& witness, const Faults& faults, const Bugs& bugs,
                     const bool& coordinator_up)
    : host_(std::move(host)),
      clockwork_(clockwork),
      network_(network),
      witness_(witness),
      faults_(faults),
      bugs_(bugs),
      coordinator_up_(coordinator_up) {
  spool_.Append(BytesOf(enrolled));
}

void AgentNode::After(int64_t ms, std::function<void()> what) {
  clockwork_.After(ms, [this, life = life_, what = std::move(what)] {
    if (life == life_) what();
  });
}

std::vector<agent::v1::SpoolRecord> AgentNode::Records() const {
  std::vector<agent::v1::SpoolRecord> records;
  for (const auto& record : spool_.records()) records.emplace_back().ParseFromString(record.payload);
  return records;
}

void AgentNode::Start() {
  life_ += 1;
  clockwork_.Trace(host_ + " starts");
  spool_.Recover();
  if (const std::string fault = spool_.FaultOfChain(); !fault.empty()) witness_.Complain(host_ + "'s spool: " + fault);
  auto engine = agents::AgentEngine::Restore(Records());
  if (!engine.ok()) return witness_.Complain(host_ + " cannot be restored: " + engine.status().ToString());
  engine_ = std::make_unique<agents::AgentEngine>(*std::move(engine));
  witness_.AgentRemembers(host_, engine_->InFlight(), engine_->Unacknowledged());
  wake_at_ = kNever;
  Decide(agents::Started{"sim"});
  After(clockwork_.Between(10, 2000), [this] { Connect(); });
}

void AgentNode::Crash(const char* how) {
  if (engine_ == nullptr) return;
  clockwork_.Count(absl::StrCat("agent dies ", how));
  clockwork_.Trace(absl::StrCat(host_, " dies ", how));
  life_ += 1;
  engine_.reset();
  undurable_.clear();
  commit_due_ = false;
  running_.clear();
  fetching_.clear();
  if (link_ != 0) network_.CloseByAgent(std::exchange(link_, 0));
  clockwork_.After(clockwork_.Between(10, clockwork_.Chance(0.2) ? 200'000 : 5000), [this] { Start(); });
}

void AgentNode::Connect() {
  if (link_ != 0) return;
  if (!coordinator_up_ || !network_.Reaches(host_)) {
    return After(clockwork_.Between(500, 5000), [this] { Connect(); });
  }
  link_ = network_.Open(host_);
  Decide(agents::Connected{link_});
}

void AgentNode::LinkIsLost(uint64_t link) {
  if (engine_ == nullptr || link != link_) return;
  link_ = 0;
  Decide(agents::Disconnected{link});
  After(clockwork_.Between(100, 4000), [this] { Connect(); });
}

void AgentNode::Hear(uint64_t link, const agent::v1::CoordinatorMessage& message) {
  if (engine_ == nullptr || link != link_) return;
  Decide(agents::CoordinatorSaid{link, message});
}

void AgentNode::Decide(const agents::Input& input) {
  if (engine_ == nullptr) return;
  agents::Decision decision;
  try {
    decision = engine_->Decide(input, Clock());
  } catch (const std::logic_error& error) {
    return witness_.Complain(absl::StrCat("the agent's engine gave up on ", host_, ": ", error.what()));
  }
  for (const auto& effect : decision.effects) {
    if (const auto* kill = std::get_if<agents::KillVerb>(&effect)) Kill(kill->id);
  }
  if (bugs_.agent_effects_before_append) {
    for (const auto& effect : std::exchange(decision.effects, {})) CarryOut(effect);
    if (engine_ == nullptr) return;
  }
  undurable_.push_back({std::move(decision), Clock()});
  if (!std::exchange(commit_due_, true)) After(clockwork_.Between(0, 8), [this] { Commit(); });
  Wake();
}

void AgentNode::Wake() {
  const UnixMs at = engine_->NextWake();
  if (at == kNever || at == wake_at_) return;
  wake_at_ = at;
  After(std::max<int64_t>(at - Clock(), 1), [this, at] {
    if (wake_at_ != at) return;
    wake_at_ = kNever;
    Decide(agents::Tick{});
  });
}

void AgentNode::StepClock(int64_t by) {
  clockwork_.Trace(absl::StrCat(host_, "'s clock steps by ", by));
  clock_offset_ += by;
  wake_at_ = kNever;
  if (engine_ != nullptr) Wake();
}

bool AgentNode::SpoolRefuses() {
  if (clockwork_.Strikes("spool full", faults_.spool_full)) {
    full_until_ = clockwork_.now() + clockwork_.Between(1, 90'000);
  }
  return clockwork_.now() < full_until_;
}

void AgentNode::Commit() {
  commit_due_ = false;
  if (clockwork_.Chance(faults_.spool_crash)) return Crash("before a write");
  std::vector<agent::v1::SpoolRecord> records;
  for (const Held& held : undurable_) {
    records.insert(records.end(), held.decision.records.begin(), held.decision.records.end());
  }
  if (!records.empty()) {
    if (SpoolRefuses()) {
      // Both are allowed: to start again from what is durable, or to keep everything back and try again.
      if (clockwork_.Chance(0.1)) return Crash("as its spool refuses");
      commit_due_ = true;
      return After(clockwork_.Between(50, 3000), [this] { Commit(); });
    }
    if (clockwork_.Chance(faults_.spool_crash)) {
      const auto group = BytesOf(records);
      spool_.Tear(group, static_cast<size_t>(clockwork_.Between(0, static_cast<int64_t>(group.size()))));
      return Crash("in a write, which is torn");
    }
    spool_.Append(BytesOf(records));
  }
  const std::vector<Held> durable = std::exchange(undurable_, {});
  for (const Held& held : durable) {
    for (const auto& record : held.decision.records) {
      clockwork_.Trace(absl::StrCat(host_, " keeps ", static_cast<int>(record.kind_case())));
      witness_.RecordIsDurable(host_, record, held.at);
    }
  }
  if (clockwork_.Chance(faults_.spool_crash)) return Crash("after a write");
  const uint64_t life = life_;
  for (const Held& held : durable) {
    for (const auto& effect : held.decision.effects) {
      CarryOut(effect);
      if (life != life_) return;
      if (clockwork_.Chance(faults_.spool_crash / 8)) return Crash("among its effects");
    }
  }
  if (!undurable_.empty()) return;
  if (clockwork_.Chance(0.1)) CheckRestore();
  if (clockwork_.Chance(0.02)) spool_.Replace(BytesOf(engine_->Compact()));
}

void AgentNode::CheckRestore() {
  if (engine_ == nullptr || !undurable_.empty()) return;
  const auto again = agents::AgentEngine::Restore(Records());
  if (!again.ok()) return witness_.Complain(host_ + " cannot be restored: " + again.status().ToString());
  const auto live = BytesOf(engine_->Compact());
  if (BytesOf(again->Compact()) != live) witness_.Complain(host_ + "'s spool does not give the live state");
  const auto compacted = agents::AgentEngine::Restore(engine_->Compact());
  if (!compacted.ok() || BytesOf(compacted->Compact()) != live) {
    witness_.Complain(host_ + "'s compacted spool does not give the live state");
  }
}

void AgentNode::CarryOut(const agents::Effect& effect) {
  if (const auto* send = std::get_if<agents::SendToCoordinator>(&effect)) {
    if (send->session != link_ || link_ == 0) return;
    witness_.AgentSays(host_, send->message, running_.size());
    network_.Up(link_, send->message);
  } else if (const auto* start = std::get_if<agents::StartVerb>(&effect)) {
    StartVerb(start->request);
  } else if (const auto* fetch = std::get_if<agents::FetchFiles>(&effect)) {
    fetching_[fetch->id] = true;
    After(clockwork_.Between(1, 3000), [this, id = fetch->id] { Fetch(id); });
  } else if (const auto* drop = std::get_if<agents::DropFetch>(&effect)) {
    fetching_.erase(drop->id);
  } else if (std::holds_alternative<agents::GatherFacts>(effect)) {
    After(clockwork_.Between(1, 500), [this] { Decide(agents::FactsGathered{R"({"os":{"id":"debian"}})"}); });
  }
}

void AgentNode::Fetch(uint64_t id) {
  if (!fetching_.contains(id)) return;
  if (link_ == 0) return After(1000, [this, id] { Fetch(id); });  // Patient while there is no coordinator.
  fetching_.erase(id);
  const bool fails = clockwork_.Strikes("files do not come", faults_.fetch);
  Decide(agents::FilesReady{id, !fails, fails ? "disk_full" : "", ""});
}

bool AgentNode::IsQuiet() const {
  return engine_ != nullptr && link_ != 0 && undurable_.empty() && engine_->InFlight().empty() &&
         engine_->Unacknowledged().empty();
}

}  // namespace reprise::sim
