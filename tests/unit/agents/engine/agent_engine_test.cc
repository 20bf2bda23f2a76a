#include "agents/engine/agent_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/status_matchers.h"
#include "tests/unit/agents/engine/connected_host.h"

namespace reprise::agents {
namespace {

using namespace testing;  // NOLINT: the fixture's words
using reprise::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Bytes(const std::vector<agent::v1::SpoolRecord>& records) {
  std::vector<std::string> all;
  for (const auto& record : records) all.push_back(record.SerializeAsString());
  return all;
}

class AgentEngineTest : public ConnectedHostTest {};

// ---- keyring, host statement, facts, heartbeat ----

TEST_F(AgentEngineTest, TakesANewerKeyringOnlyWhenItIsSignedUnderTheOldOne) {
  People impostors;
  impostors.Revoke("bob");
  agent::v1::CoordinatorMessage message;
  *message.mutable_keyring()->add_statements() = impostors.chain().back();
  host.Hear(message);
  EXPECT_EQ(host.engine().keyring().version(), 1u);
  EXPECT_EQ(host.warnings.size(), 1u);
  message.Clear();
  *message.mutable_keyring()->add_statements() = people.chain().front();  // Known already.
  *message.mutable_keyring()->add_statements() = people.Revoke("bob");
  host.Hear(message);
  EXPECT_EQ(host.engine().keyring().version(), 2u);
  EXPECT_EQ(host.warnings.size(), 1u);
  EXPECT_FALSE(host.engine().keyring().Find("bob")->active);
}

TEST_F(AgentEngineTest, BringsBackTheKeyringThatARestoredCoordinatorLost) {
  agent::v1::CoordinatorMessage update;
  *update.mutable_keyring()->add_statements() = people.Revoke("bob");
  *update.mutable_keyring()->add_statements() = people.Revoke("carol");
  host.Hear(update);
  const auto brought = [this](uint32_t known) {
    host.ForgetEffects();
    agent::v1::CoordinatorMessage message;
    message.mutable_welcome()->set_keyring_version(known);
    host.Hear(message);
    std::vector<std::string> statements;
    for (const auto& said : host.sent) {
      for (const auto& statement : said.keyring().statements()) statements.push_back(statement.statement());
    }
    return statements;
  };
  EXPECT_THAT(brought(1), ElementsAre(people.chain()[1].statement(), people.chain()[2].statement()));
  EXPECT_THAT(brought(2), ElementsAre(people.chain()[2].statement()));
  EXPECT_THAT(brought(3), IsEmpty());
  EXPECT_THAT(brought(9), IsEmpty());
  EXPECT_THAT(brought(0), IsEmpty());  // It has none at all, and is not to be founded by a host.
}

TEST_F(AgentEngineTest, TakesOnlyItsOwnNewerAndSignedHostStatement) {
  const auto serial = [this] { return host.engine().statement()->serial; };
  host.HearHostStatement(Admission(people, "ws-002", [](auto& other) { other.serial = 9; }));
  EXPECT_EQ(serial(), 1u);
  People impostors;
  host.HearHostStatement(Admission(impostors, "ws-001", [](auto& own) { own.serial = 9; }));
  EXPECT_EQ(serial(), 1u);
  EXPECT_EQ(host.warnings.size(), 2u);
  host.HearHostStatement(Admission(people, "ws-001", [](auto& own) { own.serial = 5; }));
  EXPECT_EQ(serial(), 5u);
  host.HearHostStatement(Admission(people, "ws-001", [](auto& own) { own.serial = 4; }));
  EXPECT_EQ(serial(), 5u);
}

TEST_F(AgentEngineTest, GathersFactsWhenAsked) {
  agent::v1::CoordinatorMessage message;
  message.mutable_read_facts();
  host.Hear(message);
  EXPECT_EQ(host.facts_wanted, 1);
  host.Decide(FactsGathered{R"({"os":{}})"});
  EXPECT_EQ(host.sent.back().facts().facts_json(), R"({"os":{}})");
}

TEST_F(AgentEngineTest, BeatsAtTheRateThatTheCoordinatorAsksFor) {
  agent::v1::CoordinatorMessage message;
  message.mutable_welcome()->set_heartbeat_ms(5000);
  host.Hear(message);
  EXPECT_EQ(host.engine().NextWake(), host.now + 5000);
  host.now += 5000;
  host.Decide(Tick{});
  EXPECT_TRUE(host.sent.back().has_heartbeat());
  host.now -= kHour;  // The clock is set back: the heart must not stop for an hour.
  host.Decide(Tick{});
  EXPECT_LE(host.engine().NextWake(), host.now + 5000);
}

// ---- bounds and memory ----

TEST_F(AgentEngineTest, RefusesMoreThanItCanHoldAtOnce) {
  for (uint32_t i = 1; i <= kAttemptsInFlightMax; ++i) plan.AddStep("s" + std::to_string(i), v1::EFFECT_CHANGE);
  for (uint32_t i = 0; i <= kAttemptsInFlightMax; ++i) host.Hear(plan.Task(1, i));
  EXPECT_EQ(host.engine().InFlight().size(), kAttemptsInFlightMax);
  EXPECT_EQ(host.LastOutcome().code(), "busy");
}

TEST_F(AgentEngineTest, ForgetsAPlanAfterItsExpiryAndNeverBelievesItAgain) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(true);
  host.HearAcknowledged(plan.Key());
  const UnixMs then = host.now;
  host.now = host.engine().NextWake();
  EXPECT_GT(host.now, plan.header.expires_ms());
  host.Decide(Tick{});
  EXPECT_TRUE(host.spool().back().has_plans_forgotten());
  host.now = then;  // The clock goes back.
  host.Hear(plan.Task(2));
  EXPECT_EQ(host.LastOutcome().code(), "expired");
}

// A number without sense must neither silence the heart nor make it race.
TEST_F(AgentEngineTest, BeatsOnceAnHourAtLeastWhateverItIsTold) {
  agent::v1::CoordinatorMessage message;
  message.mutable_welcome()->set_heartbeat_ms(std::numeric_limits<int64_t>::max());
  host.Hear(message);
  host.ForgetEffects();
  host.now += kHour - 1;
  host.Decide(Tick{});
  EXPECT_TRUE(host.sent.empty());
  host.now += 1;
  host.Decide(Tick{});
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_TRUE(host.sent.back().has_heartbeat());
}

TEST_F(AgentEngineTest, SaysWhatItFoundInTheOrderInWhichItLooked) {
  for (const char* id : {"zeta-00000001", "alfa-00000002"}) {
    PlanMaker look(people, v1::EFFECT_READ);
    look.header.set_plan_id(id);
    look.signers = {"bob"};
    host.Hear(look.Task());
    host.FilesCome();
    host.now += 1000;
    host.ProbeSays(true);
  }
  const auto said = host.engine().Unacknowledged();
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0].key().plan_id(), "zeta-00000001");
}

TEST_F(AgentEngineTest, KeepsAnOutcomeThatNobodyAcknowledgedPastTheExpiry) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(true);
  host.now = plan.header.expires_ms() + 2 * kHour;
  host.Decide(Tick{});
  EXPECT_EQ(host.engine().Unacknowledged().size(), 1u);
}

TEST_F(AgentEngineTest, FoldsToTheSameFromTheFewestRecords) {
  plan.AddUndoingStep();
  plan.AddGate("before-protect");
  auto task = plan.Task();
  *task.add_gates() = plan.Decision("before-protect", "alice");
  host.Hear(task);
  host.FilesCome();
  host.ProbeSays(false);
  host.ApplyIsDone();
  host.VerbGives(FakeHost::kHolds);  // Not acknowledged…
  host.Hear(plan.Task(2, 0, true));
  host.FilesCome();
  host.ProbeSays(true);
  host.VerbGives(R"({"summary":"removed"})");
  host.ProbeSays(false);
  host.HearAcknowledged(plan.Key(2, 0, true));  // …but its undoing is.
  host.Hear(plan.Task(1, 1));
  host.FilesCome();
  host.ProbeSays(false);
  host.HearStop(1, true);
  const auto few = host.engine().Compact();
  EXPECT_LT(few.size(), host.spool().size());
  ASSERT_OK_AND_ASSIGN(auto again, AgentEngine::Restore(few));
  EXPECT_EQ(Bytes(again.Compact()), Bytes(few));
  ASSERT_OK_AND_ASSIGN(auto whole, AgentEngine::Restore(host.spool()));
  EXPECT_EQ(Bytes(whole.Compact()), Bytes(few));
  FakeHost next(few);
  next.Connect();
  next.HearStop(2, false);
  next.Hear(plan.Task(3, 0, true));
  EXPECT_EQ(next.LastOutcome().code(), "unknown_step") << "undone already: compaction must not forget that";
}

TEST(AgentEngineRestore, RefusesAnEmptyAndAnInconsistentSpool) {
  EXPECT_THAT(AgentEngine::Restore({}).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("reprise-agent join")));
  People people;
  auto records = EnrolledRecords(people);
  records.emplace_back().mutable_attempt_finished();
  EXPECT_THAT(AgentEngine::Restore(records).status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("record 2")));
}

TEST(AgentEngineEnrol, RefusesAKeyringThatIsNotThePinnedOne) {
  People people, impostors;
  EXPECT_FALSE(AgentEngine::Enrol("ws-001", people.Keyring().fingerprint(), impostors.chain()).ok());
  EXPECT_FALSE(AgentEngine::Enrol("ws-001", "", people.chain()).ok());
  EXPECT_TRUE(AgentEngine::Enrol("ws-001", people.Keyring().fingerprint(), people.chain()).ok());
}

}  // namespace
}  // namespace reprise::agents
