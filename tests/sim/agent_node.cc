#include "tests/sim/agent_node.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace reprise::sim {
namespace {

constexpr char kHolds[] =
    R"({"holds":true,"summary":"it is so","claims":[{"name":"edr.protected","state":"holds","detail":"seen"}]})";
constexpr char kDoesNotHold[] = R"({"holds":false,"summary":"it is not so"})";

}  // namespace

AgentNode::AgentNode(std::string host, std::vector<agent::v1::SpoolRecord> spool, Clockwork& clockwork,
                     Network& network, Witness& witness, const Faults& faults, const Bugs& bugs,
                     const bool& coordinator_up)
    : host_(std::move(host)),
      spool_(std::move(spool)),
      clockwork_(clockwork),
      network_(network),
      witness_(witness),
      faults_(faults),
      bugs_(bugs),
      coordinator_up_(coordinator_up) {}

void AgentNode::After(int64_t ms, std::function<void()> what) {
  clockwork_.After(ms, [this, life = life_, what = std::move(what)] {
    if (life == life_) what();
  });
}

void AgentNode::Start() {
  life_ += 1;
  clockwork_.Trace(host_ + " starts");
  if (clockwork_.Chance(0.2)) {
    const auto whole = agents::AgentEngine::Restore(spool_);
    if (whole.ok()) spool_ = whole->Compact();
  }
  auto engine = agents::AgentEngine::Restore(spool_);
  if (!engine.ok()) return witness_.Complain(host_ + " cannot be restored: " + engine.status().ToString());
  engine_ = std::make_unique<agents::AgentEngine>(*std::move(engine));
  wake_at_ = std::numeric_limits<UnixMs>::max();
  Decide(agents::Started{"sim"});
  After(clockwork_.Between(10, 2000), [this] { Connect(); });
}

void AgentNode::Crash(const std::string& why) {
  if (engine_ == nullptr) return;
  clockwork_.Trace(host_ + " dies " + why);
  life_ += 1;
  for (const auto& [id, verb] : running_) taken_for_granted_[verb.request.action] = true;
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
  if (clockwork_.Chance(faults_.clock_step)) StepClock(clockwork_.Between(-3'600'000, 600'000));
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
  agents::Decision decision = engine_->Decide(input, Clock());
  for (const auto& effect : decision.effects) {
    if (const auto* kill = std::get_if<agents::KillVerb>(&effect)) Kill(kill->id);
  }
  if (bugs_.agent_effects_before_append) {
    for (const auto& effect : std::exchange(decision.effects, {})) CarryOut(effect);
    if (engine_ == nullptr) return;
  }
  undurable_.push_back(std::move(decision));
  if (!std::exchange(commit_due_, true)) After(clockwork_.Between(0, 8), [this] { Commit(); });
  Wake();
}

void AgentNode::Wake() {
  const UnixMs at = engine_->NextWake();
  if (at == std::numeric_limits<UnixMs>::max() || at == wake_at_) return;
  wake_at_ = at;
  After(std::max<int64_t>(at - Clock(), 1), [this, at] {
    if (wake_at_ != at) return;
    wake_at_ = std::numeric_limits<UnixMs>::max();
    Decide(agents::Tick{});
  });
}

void AgentNode::Commit() {
  commit_due_ = false;
  if (clockwork_.Chance(faults_.spool_crash)) return Crash("before the commit");
  std::vector<agents::Decision> decisions = std::exchange(undurable_, {});
  for (const auto& decision : decisions) {
    for (const auto& record : decision.records) {
      spool_.push_back(record);
      clockwork_.Trace(absl::StrCat(host_, " keeps ", static_cast<int>(record.kind_case())));
      witness_.RecordIsDurable(host_, record);
    }
  }
  if (clockwork_.Chance(faults_.spool_crash)) return Crash("after the commit");
  const uint64_t life = life_;
  for (const auto& decision : decisions) {
    for (const auto& effect : decision.effects) {
      CarryOut(effect);
      if (life != life_) return;
      if (clockwork_.Chance(faults_.spool_crash / 4)) return Crash("in the middle of its effects");
    }
  }
}

void AgentNode::CarryOut(const agents::Effect& effect) {
  if (const auto* send = std::get_if<agents::SendToCoordinator>(&effect)) {
    if (send->session == link_ && link_ != 0) network_.Up(link_, send->message);
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

// At once, as the daemon does: what was decided and is held back by the spool never starts.
void AgentNode::Kill(uint64_t id) {
  for (auto& decision : undurable_) {
    const auto held =
        std::find_if(decision.effects.begin(), decision.effects.end(), [id](const agents::Effect& effect) {
          const auto* start = std::get_if<agents::StartVerb>(&effect);
          return start != nullptr && start->request.id == id;
        });
    if (held == decision.effects.end()) continue;
    decision.effects.erase(held);
    running_[id];
    return After(0, [this, id] { EndVerb(id, agents::VerbEnd::kCancelled, ""); });
  }
  const auto running = running_.find(id);
  if (running == running_.end() || running->second.stuck || std::exchange(running->second.killed, true)) return;
  After(clockwork_.Between(1, 2500), [this, id] { EndVerb(id, agents::VerbEnd::kCancelled, ""); });
}

void AgentNode::Fetch(uint64_t id) {
  if (!fetching_.contains(id)) return;
  if (link_ == 0) return After(1000, [this, id] { Fetch(id); });  // Patient while there is no coordinator.
  fetching_.erase(id);
  const bool fails = clockwork_.Chance(faults_.fetch);
  Decide(agents::FilesReady{id, !fails, fails ? "disk_full" : "", ""});
}

// ---- plugins ----

void AgentNode::SetReality(const std::string& action, bool done) {
  reality_[action] = done;
  witness_.HostChanges(host_, action, done);
}

void AgentNode::StartVerb(const agents::VerbRequest& request) {
  if (clockwork_.Chance(faults_.agent_crash)) return Crash("as a verb begins");
  running_[request.id].request = request;
  clockwork_.Trace(absl::StrCat(host_, " runs ", static_cast<int>(request.verb), " of ", request.action));
  const std::string action = request.action;
  const uint64_t id = request.id;
  const bool effect = request.verb == model::v1::VERB_APPLY || request.verb == model::v1::VERB_ROLLBACK;
  if (bugs_.no_probe_after_crash && request.verb == model::v1::VERB_PROBE && taken_for_granted_[action]) {
    return After(1, [this, id] { EndVerb(id, agents::VerbEnd::kDone, kDoesNotHold); });
  }
  witness_.VerbStarts(host_, request);
  const int64_t took = clockwork_.Between(5, effect ? 8000 : 400);
  const int64_t left = request.deadline - Clock();
  enum { kNone, kErrorFirst, kErrorAfter, kCrashFirst, kCrashAfter, kHang, kLie } fault = kNone;
  if (clockwork_.Chance(faults_.plugin)) fault = static_cast<decltype(fault)>(clockwork_.Between(kErrorFirst, kLie));
  // In the kernel, where no signal reaches it: neither deadline nor kill ends it soon.
  running_[id].stuck = fault == kHang && clockwork_.Chance(0.3);
  After(running_[id].stuck ? 300'000 : std::max<int64_t>(left, 1),
        [this, id] { EndVerb(id, agents::VerbEnd::kTimedOut, ""); });
  const bool happens = effect && fault != kErrorFirst && fault != kCrashFirst && fault != kLie;
  if (happens) {
    // Somewhere in the middle, in this life or never.
    After(clockwork_.Between(1, took), [this, id, action, done = request.verb == model::v1::VERB_APPLY] {
      if (running_.contains(id)) SetReality(action, done);
    });
  }
  if (fault == kHang) return;
  After(took, [this, id, action, effect, fault, verb = request.verb] {
    if (fault == kErrorFirst || fault == kErrorAfter) return EndVerb(id, agents::VerbEnd::kError, "");
    if (fault == kCrashFirst || fault == kCrashAfter) return EndVerb(id, agents::VerbEnd::kCrashed, "");
    if (effect) return EndVerb(id, agents::VerbEnd::kDone, R"({"changed":true,"summary":"done"})");
    // A verify that lies says that what is so is not; it cannot make good what is not.
    const bool holds = reality_[action] && !(fault == kLie && verb == model::v1::VERB_VERIFY);
    EndVerb(id, agents::VerbEnd::kDone, holds ? kHolds : kDoesNotHold);
  });
  if (effect && clockwork_.Chance(faults_.agent_crash * 4)) {
    After(clockwork_.Between(1, took), [this] { Crash("in mid-action"); });
  }
}

void AgentNode::EndVerb(uint64_t id, agents::VerbEnd end, const std::string& result) {
  if (running_.erase(id) == 0) return;
  agents::VerbResult verb;
  verb.id = id;
  verb.end = end;
  verb.result_json = result;
  verb.code = end == agents::VerbEnd::kError ? "scripted" : "";
  verb.start_delay_us = 700;
  Decide(agents::VerbEnded{verb});
}

bool AgentNode::IsQuiet() const {
  return engine_ != nullptr && link_ != 0 && undurable_.empty() && engine_->InFlight().empty() &&
         engine_->Unacknowledged().empty();
}

}  // namespace reprise::sim
