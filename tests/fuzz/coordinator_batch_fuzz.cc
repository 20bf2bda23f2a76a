// What a coordinator, or who has stolen it, may send (a CoordinatorBatch): the agent's engine takes anything, does what it
// accepts, and remembers in its spool exactly what it has in mind.
#include <algorithm>
#include <deque>

#include "agents/engine/agent_engine.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

using agents::AgentEngine;
using agents::VerbEnd;

// A host whose plugins and files do as they are told.
class Agent {
 public:
  Agent() : spool_(TheWorld().spool), engine_(*AgentEngine::Restore(spool_)) {
    Decide(agents::Started{"test"});
    Decide(agents::Connected{1});
  }

  void Hear(const agent::v1::CoordinatorMessage& message) { Decide(agents::CoordinatorSaid{1, message}); }
  // Answers what the engine asked for, so often at most.
  void Work(size_t answers_max) {
    for (; !to_answer_.empty() && answers_max > 0; --answers_max) {
      const agents::Input answer = to_answer_.front();
      to_answer_.pop_front();
      Decide(answer);
    }
  }
  void Wake(size_t times) {
    for (; times > 0 && engine_.NextWake() != INT64_MAX; --times) {
      now_ = std::max(now_, engine_.NextWake());
      Decide(agents::Tick{});
      Check(engine_.NextWake() > now_, "an agent that was just woken wants to be woken later");
      Work(5);
    }
  }
  void CheckMemory() const {
    const auto again = AgentEngine::Restore(spool_);
    Check(again.ok(), "a spool can be read again", again.status().ToString());
    Check(Joined(again->Compact()) == Joined(engine_.Compact()), "what was read again is what was in mind");
    const auto compacted = AgentEngine::Restore(engine_.Compact());
    Check(compacted.ok(), "a compacted spool can be read again", compacted.status().ToString());
    Check(Joined(compacted->Compact()) == Joined(engine_.Compact()), "compaction loses nothing");
  }
  const AgentEngine& engine() const { return engine_; }

 private:
  static std::string Joined(const std::vector<agent::v1::SpoolRecord>& records) {
    std::string all;
    for (const auto& record : records) all += Bytes(record) + "\n";
    return all;
  }
  void Decide(const agents::Input& input) {
    agents::Decision decision = engine_.Decide(input, now_);
    for (auto& record : decision.records) spool_.push_back(std::move(record));
    for (const agents::Effect& effect : decision.effects) Answer(effect);
  }
  void Answer(const agents::Effect& effect) {
    if (const auto* send = std::get_if<agents::SendToCoordinator>(&effect)) {
      Check(agent::v1::AgentMessage().ParseFromString(Bytes(send->message)), "the wire carries what an agent says");
    } else if (const auto* start = std::get_if<agents::StartVerb>(&effect)) {
      agents::VerbResult result;
      result.id = start->request.id;
      result.end = VerbEnd::kDone;
      // The second time that somebody looks, it holds.
      result.result_json = ++looked_ % 2 == 0 ? R"({"holds":true,"changed":true,"summary":"done"})"
                                              : R"({"holds":false,"summary":"not there"})";
      to_answer_.push_back(agents::VerbEnded{result});
    } else if (const auto* fetch = std::get_if<agents::FetchFiles>(&effect)) {
      to_answer_.push_back(agents::FilesReady{fetch->id, true, "", ""});
    } else if (std::holds_alternative<agents::GatherFacts>(effect)) {
      to_answer_.push_back(agents::FactsGathered{"{}"});
    }
  }

  std::vector<agent::v1::SpoolRecord> spool_;
  AgentEngine engine_;
  UnixMs now_ = kNoon + kHour;
  std::deque<agents::Input> to_answer_;
  size_t looked_ = 0;
};

void Try(std::string_view bytes) {
  agent::v1::CoordinatorBatch batch;
  if (!batch.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  Agent agent;
  for (const auto& message : batch.messages()) {
    agent.Hear(message);
    Check(agent.engine().InFlight().size() <= agents::kAttemptsInFlightMax + agents::kUnsignedInFlightMax, "attempts in flight are bounded");
    agent.Work(3);
  }
  agent.CheckMemory();
  agent.Work(30);
  agent.Wake(10);
  agent.CheckMemory();
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
