// The part of a host's node that stands for its plugins: they take their time, change the host, and fail, crash, hang
// or lie when the faults say so.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/agent_node.h"
#include "tests/sim/copies.h"

namespace reprise::sim {
namespace {

constexpr char kHolds[] =
    R"({"holds":true,"summary":"it is so","claims":[{"name":"mock.protected","state":"holds","detail":"seen"}]})";
constexpr char kDoesNotHold[] =
    R"({"holds":false,"summary":"it is not so","claims":[{"name":"mock.protected","state":"fails","detail":"seen"}]})";
constexpr char kNonsense[] = R"({"holds":"perhaps"})";

enum class Fault { kNone, kErrorFirst, kErrorAfter, kCrashFirst, kCrashAfter, kHang, kLie, kNonsense };

constexpr const char* kNames[] = {"",
                                  "plugin fails at once",
                                  "plugin fails at the end",
                                  "plugin crashes at once",
                                  "plugin crashes at the end",
                                  "plugin hangs",
                                  "plugin lies",
                                  "plugin talks nonsense"};

}  // namespace

void AgentNode::SetReality(const std::string& action, bool done) {
  reality_[action] = done;
  witness_.HostChanges(host_, action, done);
}

// At once, as the daemon does: what was decided and is held back by the spool never starts.
void AgentNode::Kill(uint64_t id) {
  for (Held& held : undurable_) {
    auto& effects = held.decision.effects;
    const auto found = std::find_if(effects.begin(), effects.end(), [&](const agents::Effect& effect) {
      const auto* start = std::get_if<agents::StartVerb>(&effect);
      return start != nullptr && start->request.id == id;
    });
    if (found == effects.end()) continue;
    effects.erase(found);
    running_[id];
    return After(0, [this, id] { EndVerb(id, agents::VerbEnd::kCancelled, ""); });
  }
  const auto running = running_.find(id);
  if (running == running_.end() || running->second.stuck || std::exchange(running->second.killed, true)) return;
  After(clockwork_.Between(1, 2500), [this, id] { EndVerb(id, agents::VerbEnd::kCancelled, ""); });
}

void AgentNode::StartVerb(const agents::VerbRequest& request) {
  if (clockwork_.Chance(faults_.agent_crash)) return Crash("as a verb begins");
  running_[request.id].request = request;
  clockwork_.Trace(absl::StrCat(host_, " runs ", static_cast<int>(request.verb), " of ", request.action));
  const std::string action = request.action;
  const uint64_t id = request.id;
  const bool effect = request.verb == model::v1::VERB_APPLY || request.verb == model::v1::VERB_ROLLBACK;
  witness_.VerbStarts(host_, request);
  const int64_t took = clockwork_.Between(5, effect ? 8000 : 400);
  const int64_t left = request.deadline - Clock();
  auto fault = Fault::kNone;
  if (clockwork_.Chance(faults_.plugin)) {
    const int64_t which = clockwork_.Between(1, static_cast<int64_t>(Fault::kNonsense));
    fault = static_cast<Fault>(which);
    clockwork_.Count(kNames[which]);
  }
  // In the kernel, where no signal reaches it: neither deadline nor kill ends it soon.
  running_[id].stuck = fault == Fault::kHang && clockwork_.Chance(0.3);
  After(running_[id].stuck ? 300'000 : std::max<int64_t>(left, 1),
        [this, id] { EndVerb(id, agents::VerbEnd::kTimedOut, ""); });
  const bool happens = effect && fault != Fault::kErrorFirst && fault != Fault::kCrashFirst && fault != Fault::kLie;
  if (happens) {
    // Somewhere in the middle, in this life or never.
    After(clockwork_.Between(1, took), [this, id, action, done = request.verb == model::v1::VERB_APPLY] {
      if (running_.contains(id)) SetReality(action, done);
    });
  }
  if (fault == Fault::kHang) return;
  const bool flatters = fault == Fault::kLie && clockwork_.Chance(0.2);
  After(took, [this, id, action, effect, fault, flatters] {
    if (fault == Fault::kErrorFirst || fault == Fault::kErrorAfter) return EndVerb(id, agents::VerbEnd::kError, "");
    if (fault == Fault::kCrashFirst || fault == Fault::kCrashAfter) return EndVerb(id, agents::VerbEnd::kCrashed, "");
    if (fault == Fault::kNonsense) return EndVerb(id, agents::VerbEnd::kDone, kNonsense);
    if (effect) return EndVerb(id, agents::VerbEnd::kDone, R"({"changed":true,"summary":"done"})");
    // A liar says that what is so is not; seldom it says good of what is not, and nobody could know better.
    const bool holds = fault == Fault::kLie ? flatters : reality_[action];
    if (holds && !reality_[action]) witness_.PluginFlatters(host_, action);
    std::string found = holds ? kHolds : kDoesNotHold;
    if (host_ == kReader) {
      found.insert(found.size() - 1, ",\"verdicts\":" + JudgeCopies(clockwork_, faults_.plugin));
    }
    EndVerb(id, agents::VerbEnd::kDone, found);
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

}  // namespace reprise::sim
