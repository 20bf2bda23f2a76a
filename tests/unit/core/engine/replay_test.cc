// Live, replayed and restored engines are one: the same bytes, and the same decisions afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words

// A hospital in which anything may happen next.
class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {
    for (int p = 0; p < 2; ++p) {
      PlanDraft draft(hospital.people, v1::EFFECT_CHANGE, "plan-0000000" + std::to_string(p));
      draft.header.mutable_limits()->set_per_host_max(static_cast<uint32_t>(1 + p));
      for (uint32_t s = 0; s < 2; ++s) {
        auto& stage = draft.AddStage("stage-" + std::to_string(s), {2, 3},
                                     s == 0 ? std::vector<uint32_t>{} : std::vector<uint32_t>{0});
        stage.set_in_flight_max(static_cast<uint32_t>(Below(3)));
        stage.set_unreachable(static_cast<v1::Unreachable>(1 + Below(3)));
        if (Below(2) == 0) stage.mutable_wave_budget()->set_max_failures(1);
        if (Below(2) == 0) draft.AddGate(stage, "gate-" + std::to_string(s), 1);
        for (const char* name : {"a", "b"}) {
          auto& step = draft.AddStep(stage, name);
          step.set_retries(static_cast<uint32_t>(Below(2)));
          step.set_on_failure(static_cast<v1::OnFailure>(1 + Below(3)));
        }
      }
      drafts.push_back(std::move(draft));
    }
  }
  size_t Below(size_t n) { return random_() % n; }

  ShownCertificate ShownOf(const std::string& host) const {
    const auto& record = *hospital.engine.FindHost(host);
    return {record.certificate_sha256(), record.certificate_ms()};
  }

  // One input; not yet decided.
  Input Next() {
    const std::string host = HostName(1 + Below(5));
    Command command;
    command.operator_name = "bob";
    command.ticket = 1;
    const uint64_t run = 1 + Below(2);
    switch (Below(16)) {
      case 0:
        return SessionClosed{host, hospital.sessions[host], "cut"};
      case 1:
      case 2: {
        agent::v1::Hello hello;
        hello.set_keyring_version(1);
        hello.set_host_statement_serial(1);
        hospital.sessions[host] = ++session_;
        return SessionOpened{host, session_, hello, Below(2) == 0 ? "10.0.0.1" : "10.0.0.2",
                             Below(2) == 0 ? certificates_[host] : ShownOf(host)};
      }
      case 3:
        command.request = Command::Pause{run, "x"};
        return command;
      case 4:
      case 5:
        command.request = Command::Resume{run};
        return command;
      case 6:
        command.request = Command::Retry{run};
        return command;
      case 7: {
        if (Below(6) > 0) return Tick{};
        if (Below(2) == 0)
          command.request = Command::RaiseStop{"x"};
        else
          command.request = Command::LiftStop{"x"};
        return command;
      }
      case 8: {
        operators::v1::SignGateRequest request;
        *request.mutable_statement() = drafts[run - 1].Decision("gate-" + std::to_string(Below(2)), "alice", run);
        command.request = request;
        return command;
      }
      case 9: {
        operators::v1::HostStatementsRequest request;
        *request.add_statements() = agents::testing::Admission(hospital.people, host, [&](auto& statement) {
          statement.serial = hospital.engine.FindHost(host)->statement_serial() + 1;
          statement.hold = Below(3) == 0 ? "police copy" : "";
        });
        command.request = request;
        return command;
      }
      case 10: {
        // Identities: little of it, or nobody would be left to work.
        if (Below(4) > 0) return Tick{};
        if (Below(4) == 0) {
          operators::v1::ExpelHostRequest request;
          request.set_host(host);
          request.set_reason("x");
          command.request = request;
          return command;
        }
        EnrolRequested request{1, host, "", crypto::Sha256("a certificate"), "10.0.0.1"};
        request.certificate_valid_from = hospital.now;
        request.shown.sha256 = hospital.engine.FindHost(host)->certificate_sha256();
        certificates_[host] = {request.certificate_sha256, request.certificate_valid_from};
        if (Below(2) == 0) return request;
        Command::Issue issue;
        auto& token = issue.tokens.emplace_back();
        token.set_host(host);
        token.set_secret_sha256(crypto::Sha256(host));
        token.set_expires_ms(hospital.now + kHour);
        issue.join_until = hospital.now + kHour;
        command.request = issue;
        return command;
      }
      case 11: {
        if (Below(2) > 0) return Tick{};
        EnrolRequested request{1, host, crypto::Sha256(host), crypto::Sha256("another certificate"), "10.0.0.1"};
        request.certificate_valid_from = hospital.now;
        certificates_[host] = {request.certificate_sha256, request.certificate_valid_from};
        return request;
      }
      default: {
        auto& waiting = hospital.tasks[host];
        if (waiting.empty()) return Tick{};
        agent::v1::AgentMessage message;
        if (Below(3) == 0) {
          *message.mutable_accepted()->mutable_key() = waiting.front().key();
          return AgentSaid{host, hospital.sessions[host], message};
        }
        auto& finished = *message.mutable_finished();
        *finished.mutable_key() = waiting.front().key();
        waiting.pop_front();
        finished.set_outcome(static_cast<v1::Outcome>(1 + Below(Below(2) == 0 ? 2 : 7)));
        finished.set_code(Below(5) == 0 ? "stopped" : "some_code");
        return AgentSaid{host, hospital.sessions[host], message};
      }
    }
  }

  Hospital hospital{5};
  std::vector<PlanDraft> drafts;

 private:
  std::map<std::string, ShownCertificate> certificates_;
  std::mt19937_64 random_;
  uint64_t session_ = 100;
};

std::string Bytes(const Decision& decision) {
  std::string bytes;
  for (const auto& event : decision.events) bytes += event.SerializeAsString() + "\n";
  for (const auto& effect : decision.effects) {
    bytes += std::to_string(effect.index());
    if (const auto* send = std::get_if<SendToAgent>(&effect)) bytes += send->host + send->message.SerializeAsString();
    if (const auto* reply = std::get_if<Reply>(&effect)) bytes += reply->status.ToString() + reply->subject;
    bytes += "\n";
  }
  return bytes;
}

Engine Replayed(const std::vector<journal::v1::Event>& journal) {
  Engine engine;
  for (const auto& event : journal) {
    const absl::Status status = engine.Apply(event);
    EXPECT_TRUE(status.ok()) << status;
  }
  return engine;
}

Engine Restored(const std::string& snapshot) {
  journal::v1::State state;
  EXPECT_TRUE(state.ParseFromString(snapshot));
  auto engine = Engine::Restore(std::move(state));
  EXPECT_TRUE(engine.ok()) << engine.status();
  return *std::move(engine);
}

TEST(Replay, GivesTheLiveStateAndTheSameDecisionsAfterwards) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Chance chance(seed);
    Hospital& hospital = chance.hospital;
    for (const auto& draft : chance.drafts) hospital.Launch(draft);
    for (int i = 0; i < 150; ++i) {
      hospital.now += static_cast<int64_t>(chance.Below(9000));
      hospital.Decide(chance.Next());
    }
    Engine replayed = Replayed(hospital.journal);
    Engine restored = Restored(hospital.engine.Snapshot());
    ASSERT_EQ(replayed.Snapshot(), hospital.engine.Snapshot());
    ASSERT_EQ(restored.Snapshot(), hospital.engine.Snapshot());
    // A new life begins with Started: what was said on the old streams is forgotten by all alike.
    Input input = Started{"again"};
    for (int i = 0; i < 80; ++i) {
      const std::string one = Bytes(replayed.Decide(input, hospital.now));
      const std::string two = Bytes(restored.Decide(input, hospital.now));
      Decision live = hospital.engine.Decide(input, hospital.now);
      ASSERT_EQ(Bytes(live), one) << "input " << i << " of kind " << input.index();
      ASSERT_EQ(one, two) << "input " << i << " of kind " << input.index();
      ASSERT_EQ(replayed.NextWake(), hospital.engine.NextWake());
      hospital.journal.insert(hospital.journal.end(), live.events.begin(), live.events.end());
      for (auto& effect : live.effects) {
        auto* send = std::get_if<SendToAgent>(&effect);
        if (send != nullptr && send->message.has_task()) hospital.tasks[send->host].push_back(send->message.task());
      }
      hospital.now += static_cast<int64_t>(chance.Below(9000));
      input = chance.Next();
    }
    ASSERT_EQ(replayed.Snapshot(), hospital.engine.Snapshot());
    ASSERT_EQ(Replayed(hospital.journal).Snapshot(), hospital.engine.Snapshot());
  }
}

TEST(Replay, SaysWhichEventIsNotLegal) {
  Engine engine;
  journal::v1::Event event;
  event.mutable_run_resumed()->set_run(3);
  const absl::Status status = engine.Apply(event);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(::testing::HasSubstr("event 1 (run_resumed)"), ::testing::HasSubstr("run 3")));
}

}  // namespace
}  // namespace reprise::engine
