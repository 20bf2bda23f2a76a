// Hosts that fall silent, come back, are held or moved, and coordinators that die.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OfflineTest : public ::testing::Test {
 protected:
  plan::v1::Stage& Install(const std::vector<size_t>& waves) {
    auto& stage = draft.AddStage("protect", waves);
    draft.AddStep(stage, "install");
    return stage;
  }

  Hospital hospital{3};
  PlanDraft draft{hospital.people};
};

TEST_F(OfflineTest, DefersAHostThatIsOffAndCatchesUpWhenItReturns) {
  Install({2, 1});
  hospital.Disconnect("ws-001");
  hospital.Launch(draft);
  hospital.Run("ws-002");
  hospital.Pass(59'999);
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_WAITING);
  hospital.Pass(1);
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_DEFERRED);
  EXPECT_EQ(hospital.Target(1).code(), "unreachable");
  hospital.Run("ws-003");  // The next wave did not wait.
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_CATCHING_UP);
  hospital.Pass(5 * kHour);
  hospital.Connect("ws-001");
  hospital.Run("ws-001");
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(OfflineTest, CountsAHostThatIsOffAsAFailureWhereThePlanSaysSo) {
  auto& stage = Install({2, 1});
  stage.set_unreachable(v1::UNREACHABLE_FAIL);
  stage.mutable_wave_budget()->set_max_failures(0);
  hospital.Disconnect("ws-001");
  hospital.Launch(draft);
  hospital.Run("ws-002");
  hospital.Pass(60'000);
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_DEFERRED);
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_PAUSED);
  EXPECT_EQ(hospital.RunOf().pause_code(), "budget");
}

TEST_F(OfflineTest, WaitsForAHostThatIsOffWhereThePlanSaysSo) {
  Install({2, 1}).set_unreachable(v1::UNREACHABLE_WAIT);
  hospital.Disconnect("ws-001");
  hospital.Launch(draft);
  hospital.Run("ws-002");
  EXPECT_EQ(hospital.Target(1).code(), "") << "nothing is wrong yet";
  hospital.Pass(10 * kHour);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_WAITING);
  EXPECT_EQ(hospital.Target(1).code(), "unreachable");
  EXPECT_EQ(hospital.Target(1).reason(), "the host's agent is not connected");
  hospital.Connect("ws-001");
  EXPECT_EQ(hospital.Target(1).code(), "");
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(OfflineTest, EndsWhatIsLeftWhenThePlanExpires) {
  Install({2});
  hospital.Disconnect("ws-001");
  hospital.Launch(draft);
  hospital.Run("ws-002");
  hospital.Pass(24 * kHour);
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_EXPIRED);
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_PARTIAL);
}

TEST_F(OfflineTest, LosesATaskOfASilentHostAndBelievesItsLateOutcome) {
  Install({1, 1}).set_in_flight_max(1);
  hospital.Launch(draft);
  const auto task = hospital.Take("ws-001");
  hospital.Accept(task, "ws-001");
  hospital.Disconnect("ws-001");
  hospital.Pass(60'000);
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_LOST);
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_DEFERRED);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-002")) << "one sick host does not stop the others";
  hospital.Connect("ws-001");
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-002")) << "its place is taken";
  hospital.Finish(task, "ws-001");
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_SUCCEEDED);
  EXPECT_EQ(hospital.Acknowledged("ws-001"), 1u);
}

TEST_F(OfflineTest, DeliversTheSameAttemptAgainToAnAgentThatDoesNotHaveIt) {
  Install({1});
  hospital.Launch(draft);
  const auto task = hospital.Take("ws-001");
  hospital.Disconnect("ws-001");
  hospital.Connect("ws-001");
  const auto again = hospital.Take("ws-001");
  EXPECT_EQ(again.key().SerializeAsString(), task.key().SerializeAsString());
  EXPECT_TRUE(again.has_authority()) << "another session, and its hello did not list the plan";
}

TEST_F(OfflineTest, DoesNotDeliverAgainWhatTheAgentHas) {
  Install({1});
  hospital.Launch(draft);
  const auto task = hospital.Take("ws-001");
  hospital.Disconnect("ws-001");
  agent::v1::Hello hello;
  *hello.add_in_flight() = task.key();
  hospital.Connect("ws-001", hello);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_RUNNING);
}

TEST_F(OfflineTest, DeliversNothingAgainWhileTheRunIsPaused) {
  Install({1});
  hospital.Launch(draft);
  hospital.Take("ws-001");
  ASSERT_OK(hospital.Do("bob", Command::Pause{1, "lunch"}));
  hospital.Disconnect("ws-001");
  hospital.Connect("ws-001");
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  ASSERT_OK(hospital.Do("bob", Command::Resume{1}));
  EXPECT_EQ(hospital.Take("ws-001").key().attempt(), 1u);
}

TEST_F(OfflineTest, AsksAConnectedAgentOnceForAnOutcomeThatDoesNotComeThenPutsItOff) {
  Install({1});
  hospital.Launch(draft);
  const auto task = hospital.Take("ws-001");
  hospital.Accept(task, "ws-001");
  hospital.Pass(90'000);
  EXPECT_EQ(hospital.Cancelled("ws-001"), 1u);
  hospital.Pass(29'999);
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_RUNNING);
  hospital.Pass(1);
  EXPECT_EQ(hospital.Cancelled("ws-001"), 1u);
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_LOST);
  EXPECT_EQ(hospital.Target(1).code(), "no_answer");
  hospital.Finish(task, "ws-001");
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_SUCCEEDED);
}

TEST_F(OfflineTest, SendsNothingToAHostUnderEvidenceHoldUntilItIsReleased) {
  Install({1});
  hospital.Admit("ws-001", 2, [](auto& statement) { statement.hold = "police copy"; });
  hospital.Launch(draft);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  hospital.Pass(60'000);
  EXPECT_EQ(hospital.Target(1).code(), "hold");
  hospital.Admit("ws-001", 3);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
}

TEST_F(OfflineTest, SendsNothingToAHostThatIsNotWhereThePlanBelieves) {
  Install({2});
  hospital.Admit("ws-001", 2, [](auto& statement) { statement.zone = v1::ZONE_REBUILT; });
  hospital.Admit("ws-002", 2, [](auto& statement) { statement.asset_class = v1::ASSET_CLASS_MEDICAL_DEVICE; });
  hospital.Launch(draft);
  hospital.Pass(60'000);
  EXPECT_EQ(hospital.Target(1).code(), "zone");
  EXPECT_EQ(hospital.Target(2).code(), "protected_class");
}

TEST_F(OfflineTest, ReadsWhereItMayNotChange) {
  PlanDraft reading(hospital.people, v1::EFFECT_READ, "look-00000000");
  reading.AddStep(reading.AddStage("look", {1}), "look");
  hospital.Admit("ws-001", 2, [](auto& statement) { statement.hold = "police copy"; });
  hospital.Launch(reading);
  const auto task = hospital.Take("ws-001");
  EXPECT_EQ(task.plugin().signature().minisig(), "of the plugin") << "nobody signed the plan";
  EXPECT_TRUE(task.plugin().descriptor_json().empty());
}

TEST_F(OfflineTest, DefersAHostThatWasPutOffInAStageBefore) {
  Install({1});
  draft.AddStep(draft.AddStage("scan", {1}, {0}), "scan");
  hospital.Launch(draft);
  const auto task = hospital.Take("ws-001");
  hospital.Pass(120'000);
  EXPECT_EQ(hospital.Target(1).code(), "no_answer");
  EXPECT_EQ(hospital.Target(1, 1).code(), "upstream_deferred");
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_CATCHING_UP);
  hospital.Finish(task, "ws-001");
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(OfflineTest, GivesHostsTheirTimeToComeBackAfterTheCoordinatorWasAway) {
  Install({1});
  hospital.Launch(draft);
  hospital.Take("ws-001");
  hospital.now += kHour;
  hospital.Crash();
  hospital.Pass(59'999);
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_DISPATCHED);
  hospital.Connect("ws-001");
  EXPECT_EQ(hospital.Take("ws-001").key().attempt(), 1u);
}

TEST_F(OfflineTest, ReplacesASessionByANewerOneAndHearsOnlyThat) {
  Install({1});
  hospital.Launch(draft);
  const auto task = hospital.Take("ws-001");
  const uint64_t old = hospital.sessions["ws-001"];
  hospital.Connect("ws-001");
  ASSERT_EQ(hospital.dropped.size(), 1u);
  EXPECT_EQ(hospital.dropped[0].session, old);
  agent::v1::AgentMessage message;
  *message.mutable_finished()->mutable_key() = task.key();
  hospital.Decide(AgentSaid{"ws-001", old, message});
  hospital.Decide(SessionClosed{"ws-001", old, "late"});
  EXPECT_TRUE(hospital.engine.FindHost("ws-001")->session() != 0);
  EXPECT_EQ(hospital.Acknowledged("ws-001"), 0u);
}

TEST_F(OfflineTest, AcknowledgesADuplicateAndNotWhatItDoesNotKnow) {
  Install({1});
  hospital.Launch(draft);
  const auto task = hospital.Run("ws-001");
  const size_t events = hospital.journal.size();
  hospital.Finish(task, "ws-001");
  EXPECT_EQ(hospital.Acknowledged("ws-001"), 2u);
  auto unknown = task;
  unknown.mutable_key()->set_attempt(7);
  hospital.Finish(unknown, "ws-001");
  unknown = task;
  unknown.mutable_key()->set_run(9);
  hospital.Finish(unknown, "ws-001");
  EXPECT_EQ(hospital.Acknowledged("ws-001"), 2u);
  EXPECT_EQ(hospital.journal.size(), events);
}

TEST_F(OfflineTest, BringsAnAgentUpToDateWhenItSaysHello) {
  operators::v1::ExtendKeyringRequest request;
  *request.mutable_statement() = hospital.people.Revoke("carol");
  ASSERT_OK(hospital.Do("alice", request));
  hospital.Admit("ws-001", 2);
  hospital.Disconnect("ws-001");
  hospital.Forget();
  hospital.Connect("ws-001");
  const auto sent = hospital.SentTo("ws-001");
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(sent[0].welcome().keyring_version(), 2u);
  EXPECT_EQ(sent[1].keyring().statements_size(), 1);
  EXPECT_TRUE(sent[2].has_host_statement());
  EXPECT_TRUE(sent[3].has_read_facts());
}

}  // namespace
}  // namespace reprise::engine
