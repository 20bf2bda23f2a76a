// A host around the engine, moved by hand: its spool is a vector, its plugin does what the test says.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "agents/engine/agent_engine.h"
#include "tests/unit/agents/engine/signed_plan.h"

namespace reprise::agents::testing {

class FakeHost {
 public:
  explicit FakeHost(std::vector<agent::v1::SpoolRecord> records, AgentOptions options = {})
      : spool_(std::move(records)), options_(options), engine_(*AgentEngine::Restore(spool_, options)) {
    Decide(Started{"test"});
  }

  // The process dies: what was not made durable is gone, and so is everything it ran.
  void Crash(std::optional<size_t> records_left = {}) {
    if (records_left) spool_.resize(*records_left);
    ForgetEffects();
    session_ = 0;
    auto restored = AgentEngine::Restore(spool_, options_);
    ASSERT_TRUE(restored.ok()) << restored.status();
    engine_ = *std::move(restored);
    Decide(Started{"test"});
  }

  void Decide(const Input& input) {
    Decision decision = engine_.Decide(input, now);
    for (auto& record : decision.records) spool_.push_back(std::move(record));
    for (Effect& effect : decision.effects) {
      if (auto* send = std::get_if<SendToCoordinator>(&effect)) sent.push_back(send->message);
      if (auto* start = std::get_if<StartVerb>(&effect)) verbs.push_back(start->request);
      if (auto* kill = std::get_if<KillVerb>(&effect)) killed.push_back(kill->id);
      if (auto* fetch = std::get_if<FetchFiles>(&effect)) fetches.push_back(*fetch);
      if (auto* drop = std::get_if<DropFetch>(&effect)) dropped.push_back(drop->id);
      if (std::holds_alternative<GatherFacts>(effect)) facts_wanted += 1;
      if (auto* warn = std::get_if<Warn>(&effect)) warnings.push_back(warn->text);
    }
  }

  void Connect() { Decide(Connected{++session_}); }
  void Disconnect() { Decide(Disconnected{session_}); }
  void Hear(const agent::v1::CoordinatorMessage& message) { Decide(CoordinatorSaid{session_, message}); }
  void Hear(const agent::v1::Task& task) {
    agent::v1::CoordinatorMessage message;
    *message.mutable_task() = task;
    Hear(message);
  }
  void HearHostStatement(const plan::v1::SignedStatement& statement) {
    agent::v1::CoordinatorMessage message;
    *message.mutable_host_statement() = statement;
    Hear(message);
  }
  void HearStop(uint64_t serial, bool active) {
    agent::v1::CoordinatorMessage message;
    message.mutable_stop()->set_serial(serial);
    message.mutable_stop()->set_active(active);
    message.mutable_stop()->set_reason("smoke in the server room");
    Hear(message);
  }
  void HearCancel(const agent::v1::TaskKey& key) {
    agent::v1::CoordinatorMessage message;
    *message.mutable_cancel()->mutable_key() = key;
    message.mutable_cancel()->set_reason("aborted by alice");
    Hear(message);
  }
  void HearAcknowledged(const agent::v1::TaskKey& key) {
    agent::v1::CoordinatorMessage message;
    *message.mutable_acknowledged()->mutable_key() = key;
    Hear(message);
  }

  void FilesCome() { Decide(FilesReady{fetches.back().id, true, "", ""}); }
  // Ends the verb that was started last.
  void VerbGives(const std::string& result_json) {
    VerbResult result;
    result.id = verbs.back().id;
    result.end = VerbEnd::kDone;
    result.result_json = result_json;
    result.start_delay_us = 900;
    Decide(VerbEnded{result});
  }
  void VerbEnds(VerbEnd end, const std::string& code = "", const std::string& message = "") {
    VerbResult result;
    result.id = verbs.back().id;
    result.end = end;
    result.code = code;
    result.message = message;
    Decide(VerbEnded{result});
  }
  void ProbeSays(bool holds) { VerbGives(holds ? kHolds : kDoesNotHold); }
  void ApplyIsDone() { VerbGives(R"({"changed":true,"summary":"done"})"); }

  v1::Verb LastVerb() const { return verbs.empty() ? v1::VERB_UNSPECIFIED : verbs.back().verb; }
  // The outcomes that were sent, in order.
  std::vector<agent::v1::Finished> Outcomes() const {
    std::vector<agent::v1::Finished> all;
    for (const auto& message : sent) {
      if (message.has_finished()) all.push_back(message.finished());
    }
    return all;
  }
  agent::v1::Finished LastOutcome() const {
    const auto all = Outcomes();
    return all.empty() ? agent::v1::Finished() : all.back();
  }
  size_t Applied() const {
    return static_cast<size_t>(
        std::count_if(verbs.begin(), verbs.end(), [](const auto& v) { return v.verb == v1::VERB_APPLY; }));
  }
  void ForgetEffects() {
    sent.clear();
    verbs.clear();
    killed.clear();
    fetches.clear();
    dropped.clear();
    warnings.clear();
  }

  AgentEngine& engine() { return engine_; }
  const std::vector<agent::v1::SpoolRecord>& spool() const { return spool_; }

  static constexpr char kHolds[] =
      R"({"holds":true,"summary":"clamd answers","evidence":[{"kind":"text","text":"PONG"}],)"
      R"("claims":[{"name":"mock.protected","state":"holds","detail":"eicar found"}]})";
  static constexpr char kDoesNotHold[] = R"({"holds":false,"summary":"not installed"})";

  UnixMs now = kNoon + kHour;
  std::vector<agent::v1::AgentMessage> sent;
  std::vector<VerbRequest> verbs;
  std::vector<uint64_t> killed;
  std::vector<FetchFiles> fetches;
  std::vector<uint64_t> dropped;
  std::vector<std::string> warnings;
  int facts_wanted = 0;

 private:
  std::vector<agent::v1::SpoolRecord> spool_;
  AgentOptions options_;
  AgentEngine engine_;
  uint64_t session_ = 0;
};

}  // namespace reprise::agents::testing
