// Retries, rollbacks, operators' retry and abort.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using reprise::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FailuresTest : public ::testing::Test {
 protected:
  plan::v1::Step& Step(int index) { return *draft.header.mutable_stages(0)->mutable_steps(index); }
  void Install(size_t hosts, const std::vector<std::string>& steps = {"install"}) {
    auto& stage = draft.AddStage("protect", {hosts});
    for (const auto& step : steps) draft.AddStep(stage, step);
  }

  Hospital hospital{3};
  PlanDraft draft{hospital.people};
};

TEST_F(FailuresTest, TriesAgainLaterAndLongerEachTime) {
  Install(1);
  Step(0).set_retries(2);
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_BACKING_OFF);
  EXPECT_EQ(hospital.Target(1).retry_at_ms(), hospital.now + 5000);
  hospital.Pass(4999);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  hospital.Pass(1);
  EXPECT_EQ(hospital.Run("ws-001", v1::OUTCOME_TIMED_OUT, "timed_out").key().attempt(), 2u);
  EXPECT_EQ(hospital.Target(1).retry_at_ms(), hospital.now + 10'000);
  hospital.Pass(10'000);
  EXPECT_EQ(hospital.Run("ws-001", v1::OUTCOME_INTERRUPTED, "interrupted").key().attempt(), 3u);
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_FAILED);
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_FAILED);
}

TEST_F(FailuresTest, DoesNotTryAgainWhatTheAgentRefused) {
  Install(1);
  Step(0).set_retries(5);
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_REFUSED, "hold");
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_FAILED);
  EXPECT_EQ(hospital.Target(1).code(), "hold");
}

TEST_F(FailuresTest, GoesOnAfterAFailureWhereThePlanSaysSoAndStillEndsFailed) {
  Install(1, {"install", "scan"});
  Step(0).set_on_failure(v1::ON_FAILURE_CONTINUE);
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.Run("ws-001").key().step(), 1u);
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_FAILED);
  EXPECT_EQ(hospital.Target(1).code(), "disk_full");
}

TEST_F(FailuresTest, UndoesWhatChangedSomethingLastFirst) {
  Install(1, {"a", "b", "c", "d", "e"});
  Step(3).set_undoable(false);
  Step(4).set_on_failure(v1::ON_FAILURE_ROLLBACK);
  hospital.Launch(draft);
  hospital.Run("ws-001");
  hospital.Run("ws-001", v1::OUTCOME_UNCHANGED);
  hospital.Run("ws-001");
  hospital.Run("ws-001");
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_ROLLING_BACK);
  const auto first = hospital.Run("ws-001");
  EXPECT_TRUE(first.key().rollback());
  EXPECT_EQ(first.key().step(), 2u) << "d cannot be undone";
  EXPECT_EQ(first.key().attempt(), 2u) << "doing and undoing share one count";
  EXPECT_EQ(hospital.Run("ws-001").key().step(), 0u) << "b had changed nothing";
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_ROLLED_BACK);
  EXPECT_EQ(hospital.Target(1).code(), "disk_full");
  EXPECT_TRUE(hospital.Target(1).steps(0).rolled_back());
}

TEST_F(FailuresTest, RetriesTheFailedHostsOnlyFromTheFailedStepOnly) {
  Install(2, {"install", "scan"});
  hospital.Launch(draft);
  hospital.Run("ws-001");
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "eicar_passed");
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_PARTIAL);
  ASSERT_OK(hospital.Do("bob", Command::Retry{1}));
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_RUNNING);
  EXPECT_EQ(hospital.RunOf().round(), 2u);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
  const auto task = hospital.Run("ws-001");
  EXPECT_EQ(task.key().step(), 1u);
  EXPECT_EQ(task.key().attempt(), 2u);
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_THAT(hospital.Do("bob", Command::Retry{1}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("nothing")));
}

TEST_F(FailuresTest, RetriesThoseThatWereSkippedBecauseOfAFailure) {
  Install(1);
  draft.AddStep(draft.AddStage("scan", {1}, {0}), "scan");
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_FAILED);
  ASSERT_OK(hospital.Do("bob", Command::Retry{1}));
  hospital.RunAll();
  EXPECT_EQ(hospital.Target(1, 1).state(), v1::TARGET_STATE_SUCCEEDED);
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(FailuresTest, DoesAgainWhatWasUndoneAndOnlyThat) {
  Install(1, {"a", "b", "c"});
  Step(2).set_on_failure(v1::ON_FAILURE_ROLLBACK);
  hospital.Launch(draft);
  hospital.Run("ws-001");
  hospital.Run("ws-001", v1::OUTCOME_UNCHANGED);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  hospital.Run("ws-001");  // a is undone.
  ASSERT_OK(hospital.Do("bob", Command::Retry{1}));
  EXPECT_EQ(hospital.Run("ws-001").key().step(), 0u);
  EXPECT_EQ(hospital.Run("ws-001").key().step(), 2u) << "b succeeded and was not undone";
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(FailuresTest, RetriesAnUndoingThatFailedBeforeAnythingElse) {
  Install(1, {"a", "b"});
  Step(1).set_on_failure(v1::ON_FAILURE_ROLLBACK);
  hospital.Launch(draft);
  hospital.Run("ws-001");
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "rollback_failed");
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_FAILED);
  ASSERT_OK(hospital.Do("bob", Command::Retry{1}));
  const auto task = hospital.Run("ws-001");
  EXPECT_TRUE(task.key().rollback());
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_ROLLED_BACK);
  ASSERT_OK(hospital.Do("bob", Command::Retry{1}));
  EXPECT_EQ(hospital.Run("ws-001").key().step(), 0u) << "what was undone is done again";
}

TEST_F(FailuresTest, AllowsNoMoreAttemptsThanThePlan) {
  Install(1);
  Step(0).set_attempts_max(2);
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  ASSERT_OK(hospital.Do("bob", Command::Retry{1}));
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_THAT(hospital.Do("bob", Command::Retry{1}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("used up")));
}

// ---- abort ----

TEST_F(FailuresTest, CancelsWhatIsInFlightAndEverythingElseWhenAborted) {
  Install(3);
  draft.header.mutable_stages(0)->set_in_flight_max(2);
  hospital.Launch(draft);
  const auto first = hospital.Take("ws-001"), second = hospital.Take("ws-002");
  ASSERT_OK(hospital.Do("bob", Command::Abort{1, "wrong plan"}));
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_ABORTING);
  EXPECT_EQ(hospital.Cancelled("ws-001"), 1u);
  EXPECT_EQ(hospital.Target(3).state(), v1::TARGET_STATE_CANCELLED);
  hospital.Finish(first, "ws-001", v1::OUTCOME_CANCELLED, "cancelled");
  hospital.Finish(second, "ws-002");  // Too late to be cancelled: it is done.
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_CANCELLED);
  EXPECT_EQ(hospital.Target(2).state(), v1::TARGET_STATE_SUCCEEDED);
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_ABORTED);
  EXPECT_FALSE(hospital.Do("bob", Command::Retry{1}).ok());
}

TEST_F(FailuresTest, RecordsAnOutcomeThatComesAfterTheEndOfTheRun) {
  Install(1);
  hospital.Launch(draft);
  const auto task = hospital.Take("ws-001");
  hospital.Accept(task, "ws-001");
  hospital.Disconnect("ws-001");
  ASSERT_OK(hospital.Do("bob", Command::Abort{1, "wrong plan"}));
  hospital.Pass(60'000);
  EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_ABORTED);
  agent::v1::Hello hello;
  *hello.add_in_flight() = task.key();
  hospital.Connect("ws-001", hello);
  EXPECT_EQ(hospital.Cancelled("ws-001"), 1u) << "nobody wants it any more";
  hospital.Finish(task, "ws-001");
  EXPECT_EQ(hospital.Acknowledged("ws-001"), 1u);
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_CANCELLED);
  EXPECT_EQ(hospital.Target(1).steps(0).last().outcome(), v1::OUTCOME_CHANGED);
}

}  // namespace
}  // namespace reprise::engine
