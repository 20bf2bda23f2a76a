#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/engine.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using reprise::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WavesTest : public ::testing::Test {
 protected:
  Hospital hospital{6};
  PlanDraft draft{hospital.people};
};

TEST_F(WavesTest, RunsOneStepOnOneHostToItsEnd) {
  draft.AddStep(draft.AddStage("protect", {1}), "install");
  hospital.Launch(draft);
  const auto task = hospital.Take("ws-001");
  EXPECT_EQ(task.key().attempt(), 1u);
  EXPECT_FALSE(task.authority().header().empty());
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_DISPATCHED);
  hospital.Accept(task, "ws-001");
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_RUNNING);
  hospital.Finish(task, "ws-001");
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_SUCCEEDED);
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(hospital.Acknowledged("ws-001"), 1u);
}

TEST_F(WavesTest, StartsAWaveOnlyWhenTheOneBeforeIsSettled) {
  draft.AddStep(draft.AddStage("protect", {1, 2}), "install");
  hospital.Launch(draft);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
  hospital.Run("ws-001");
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-002", "ws-003"));
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(WavesTest, RunsTheStepsOfAHostInOrder) {
  auto& stage = draft.AddStage("protect", {1});
  draft.AddStep(stage, "install");
  draft.AddStep(stage, "scan");
  hospital.Launch(draft);
  EXPECT_EQ(hospital.Run("ws-001").key().step(), 0u);
  EXPECT_EQ(hospital.Run("ws-001").key().step(), 1u);
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(hospital.Target(1).steps_size(), 2);
}

TEST_F(WavesTest, StartsAStageWhenAllThatItComesAfterAreSettled) {
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  draft.AddStep(draft.AddStage("scan", {2}, {0}), "scan");
  draft.AddStep(draft.AddStage("report", {1}, {1}), "report");
  hospital.Launch(draft);
  hospital.Run("ws-001");
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-002"));
  hospital.Run("ws-002");
  EXPECT_EQ(hospital.Take("ws-001").key().stage(), 1u);
}

TEST_F(WavesTest, SkipsAHostThatFailedInAStageBefore) {
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  draft.AddStep(draft.AddStage("scan", {2}, {0}), "scan");
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  hospital.RunAll();
  EXPECT_EQ(hospital.Target(1, 1).state(), v1::TARGET_STATE_SKIPPED);
  EXPECT_EQ(hospital.Target(1, 1).code(), "upstream_failed");
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_PARTIAL);
}

TEST_F(WavesTest, NeverHasMoreHostsAtWorkThanTheStageAndTheRunAllow) {
  auto& stage = draft.AddStage("protect", {6});
  stage.set_in_flight_max(2);
  draft.AddStep(stage, "install");
  draft.AddStep(stage, "scan");
  hospital.Launch(draft);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001", "ws-002"));
  hospital.Run("ws-001");
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001", "ws-002")) << "it keeps its place between its steps";
  hospital.Run("ws-001");
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-002", "ws-003"));

  PlanDraft other(hospital.people, v1::EFFECT_CHANGE, "other-00000000");
  other.AddStep(other.AddStage("protect", {6}), "install");
  other.header.mutable_limits()->set_in_flight_max(1);
  hospital.RunAll();
  hospital.Launch(other);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
}

TEST_F(WavesTest, GivesAHostOneTaskAtATimeOverAllRuns) {
  draft.AddStep(draft.AddStage("protect", {1}), "install");
  PlanDraft other(hospital.people, v1::EFFECT_CHANGE, "other-00000000");
  other.AddStep(other.AddStage("protect", {1}), "install");
  hospital.Launch(draft);
  hospital.Launch(other);
  EXPECT_EQ(hospital.tasks["ws-001"].size(), 1u);
  hospital.Run("ws-001");
  EXPECT_EQ(hospital.Take("ws-001").key().run(), 2u);
}

TEST_F(WavesTest, HandsOutNoMoreTokensThanThereAre) {
  auto* capacity = draft.header.add_capacities();
  capacity->set_token("artifact-server");
  capacity->set_amount(3);
  auto& stage = draft.AddStage("protect", {6});
  auto* token = draft.AddStep(stage, "install").add_tokens();
  token->set_token("artifact-server");
  token->set_amount(2);
  draft.AddStep(stage, "scan");
  hospital.Launch(draft);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
  hospital.Run("ws-001");  // Its next step needs none: the token is free for another.
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001", "ws-002"));
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(WavesTest, BreachesABudgetPausesAndGoesOnWhenSomebodyAcceptsTheFailures) {
  auto& stage = draft.AddStage("protect", {3, 3});
  stage.set_in_flight_max(1);
  stage.mutable_wave_budget()->set_max_failures(1);
  draft.AddStep(stage, "install");
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_RUNNING) << "one failure is within the budget";
  hospital.Run("ws-002", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_PAUSED);
  EXPECT_EQ(hospital.RunOf().pause_code(), "budget");
  EXPECT_EQ(hospital.RunOf().stages(0).waves(0).state(), v1::WAVE_STATE_BREACHED);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  ASSERT_OK(hospital.Do("bob", Command::Resume{1}));
  hospital.Run("ws-003");
  EXPECT_EQ(hospital.RunOf().stages(0).waves(0).state(), v1::WAVE_STATE_SETTLED);
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_PARTIAL);
}

TEST_F(WavesTest, CountsTheBudgetInPercentAndOfTheWholeRun) {
  draft.AddStep(draft.AddStage("protect", {6}), "install");
  draft.header.mutable_limits()->mutable_budget()->set_max_percent(33);
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_RUNNING) << "one of six is 17 %";
  hospital.Run("ws-002", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_PAUSED) << "two of six are more than 33 %";
  EXPECT_THAT(hospital.RunOf().pause_reason(), HasSubstr("2 of 6"));
}

TEST_F(WavesTest, LeavesNoRoomForAnotherFailureWhenOneWasMadeGood) {
  auto& stage = draft.AddStage("protect", {3});
  stage.set_in_flight_max(1);
  stage.mutable_wave_budget()->set_max_failures(0);
  draft.AddStep(stage, "install");
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  ASSERT_OK(hospital.Do("bob", Command::Retry{1}));
  ASSERT_OK(hospital.Do("bob", Command::Resume{1}));
  hospital.Run("ws-001");
  EXPECT_EQ(hospital.RunOf().failures_accepted(), 0u);
  hospital.Run("ws-002", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_PAUSED);
}

// ---- gates ----

TEST_F(WavesTest, PassesAGateOnlyWithItsQuorumAndNeverByTheRequester) {
  auto& stage = draft.AddStage("protect", {1, 1});
  draft.AddStep(stage, "install");
  draft.AddGate(stage, "after-canary", 1, 2);
  hospital.Launch(draft);
  EXPECT_THAT(hospital.SignGate(draft.Decision("after-canary", "alice")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("locked")));
  hospital.Run("ws-001");
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_READY);
  EXPECT_FALSE(hospital.SignGate(draft.Decision("after-canary", "bob"), "bob").ok()) << "bob asked for the plan";
  ASSERT_OK(hospital.SignGate(draft.Decision("after-canary", "alice")));
  ASSERT_OK(hospital.SignGate(draft.Decision("after-canary", "alice")));
  EXPECT_THAT(hospital.Busy(), IsEmpty()) << "the same person twice is one person";
  ASSERT_OK(hospital.SignGate(draft.Decision("after-canary", "carol"), "carol"));
  const auto task = hospital.Take("ws-002");
  EXPECT_EQ(task.gates_size(), 2) << "the agent gets the decisions to judge them itself";
}

TEST_F(WavesTest, ClosesAWaivedGateWhoseWaiverRanOutBeforeItsWaveStarted) {
  auto& stage = draft.AddStage("protect", {1});
  draft.AddStep(stage, "install");
  draft.AddGate(stage, "before-protect");
  hospital.Launch(draft);
  ASSERT_OK(hospital.Do("bob", Command::Pause{1, "lunch"}));
  ASSERT_OK(hospital.SignGate(draft.Decision("before-protect", "alice", 1, true, hospital.now + 60'000)));
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_WAIVED);
  hospital.Pass(120'000);
  ASSERT_OK(hospital.Do("bob", Command::Resume{1}));
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_READY);
  ASSERT_OK(hospital.SignGate(draft.Decision("before-protect", "carol")));
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
}

TEST_F(WavesTest, HoldsBackHostsThatHaveNotBegunWhenAWaiverRunsOutInMidWave) {
  auto& stage = draft.AddStage("protect", {2});
  stage.set_in_flight_max(1);
  draft.AddStep(stage, "install");
  draft.AddStep(stage, "scan");
  draft.AddGate(stage, "before-protect");
  hospital.Launch(draft);
  ASSERT_OK(hospital.SignGate(draft.Decision("before-protect", "alice", 1, true, hospital.now + 60'000)));
  hospital.Pass(61'000);
  hospital.Run("ws-001");
  hospital.Run("ws-001");
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_SUCCEEDED) << "what has begun is not stranded";
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_READY);
  ASSERT_OK(hospital.SignGate(draft.Decision("before-protect", "carol")));
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-002"));
}

TEST_F(WavesTest, PassesNoGateThatARevokedPersonOpened) {
  auto& stage = draft.AddStage("protect", {1});
  draft.AddStep(stage, "install");
  draft.AddGate(stage, "before-protect");
  hospital.Launch(draft);
  ASSERT_OK(hospital.Do("bob", Command::Pause{1, "lunch"}));
  ASSERT_OK(hospital.SignGate(draft.Decision("before-protect", "carol")));
  operators::v1::ExtendKeyringRequest request;
  *request.mutable_statement() = hospital.people.Revoke("carol");
  ASSERT_OK(hospital.Do("alice", request));
  ASSERT_OK(hospital.Do("bob", Command::Resume{1}));
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_READY);
}

TEST_F(WavesTest, AsksNobodyAboutAStageOfWhichNoHostIsLeft) {
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  auto& stage = draft.AddStage("release", {1, 1}, {0});
  draft.AddStep(stage, "scan");
  draft.AddGate(stage, "before-release");
  draft.AddGate(stage, "after-canary", 1);
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.Target(1, 1).state(), v1::TARGET_STATE_SKIPPED) << "said as soon as it is known";
  EXPECT_EQ(hospital.Target(2, 1).state(), v1::TARGET_STATE_WAITING);
  hospital.Run("ws-002", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_LOCKED);
  EXPECT_EQ(hospital.RunOf().gates(1).state(), v1::GATE_STATE_LOCKED);

  // What was not asked then is asked when there is something to ask about.
  ASSERT_OK(hospital.Do("bob", Command::Retry{1}));
  hospital.Run("ws-001");
  hospital.Run("ws-002");
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_READY);
  ASSERT_OK(hospital.SignGate(draft.Decision("before-release", "alice")));
  hospital.Run("ws-001");
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_EQ(hospital.RunOf().gates(1).state(), v1::GATE_STATE_READY);
  ASSERT_OK(hospital.SignGate(draft.Decision("after-canary", "carol")));
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(WavesTest, AsksAboutAStageOfWhichNoHostIsLeftWhereOthersComeAfterIt) {
  draft.AddStep(draft.AddStage("protect", {1}), "install");
  auto& stage = draft.AddStage("check", {1}, {0});
  draft.AddStep(stage, "scan");
  draft.AddGate(stage, "may-go-on");
  draft.AddStep(draft.AddStage("release", {2}, {1}), "open");
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.Target(1, 1).state(), v1::TARGET_STATE_SKIPPED);
  EXPECT_THAT(hospital.Busy(), IsEmpty()) << "nobody let the second host go on";
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_READY);
  ASSERT_OK(hospital.SignGate(draft.Decision("may-go-on", "alice")));
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-002"));
}

TEST_F(WavesTest, AsksNobodyAboutAWaveOfWhichNoHostIsLeft) {
  draft.AddStep(draft.AddStage("protect", {3}), "install");
  auto& stage = draft.AddStage("release", {1, 1, 1}, {0});
  draft.AddStep(stage, "scan");
  draft.AddGate(stage, "after-canary", 1);
  hospital.Launch(draft);
  hospital.Run("ws-002", v1::OUTCOME_FAILED, "disk_full");
  hospital.RunAll();
  EXPECT_THAT(hospital.Busy(), IsEmpty()) << "the third host is behind the gate";
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_READY);
  ASSERT_OK(hospital.SignGate(draft.Decision("after-canary", "alice")));
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_PARTIAL);
}

TEST_F(WavesTest, AsksOfAHostThatWasSkippedInAStageThatHasNotStarted) {
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  auto& stage = draft.AddStage("release", {2}, {0});
  draft.AddStep(stage, "scan");
  draft.AddGate(stage, "before-release");
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  ASSERT_OK(hospital.Do("bob", Command::Retry{1}));
  EXPECT_EQ(hospital.Target(1, 1).state(), v1::TARGET_STATE_WAITING);
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_READY);
  ASSERT_OK(hospital.SignGate(draft.Decision("before-release", "alice")));
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace reprise::engine
