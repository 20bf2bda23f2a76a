#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using testing::Hospital;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kHour;
using testing::PlanDraft;

// A stage that only reads and is done again every ten minutes; perhaps one more beside it.
class Repeat : public ::testing::Test {
 protected:
  plan::v1::Stage& Watch() {
    plan::v1::Stage& stage = draft.AddStage("watch", {1});
    stage.set_repeat_ms(10 * 60'000);
    draft.AddStep(stage, "look").set_attempts_max(1000);
    draft.AddStep(stage, "look-again").set_attempts_max(1000);
    return stage;
  }

  Hospital hospital{2};
  PlanDraft draft{hospital.people, model::v1::EFFECT_READ};
};

TEST_F(Repeat, BeginsAgainFromTheFirstStepWhenItsTimeHasCome) {
  Watch();
  hospital.Launch(draft);
  hospital.Run("ws-001", model::v1::OUTCOME_UNCHANGED);
  hospital.Run("ws-001", model::v1::OUTCOME_UNCHANGED);
  hospital.Pass(9 * 60'000);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  hospital.Pass(2 * 60'000);
  const agent::v1::Task again = hospital.Take("ws-001");
  EXPECT_EQ(again.key().step(), 0u);
  EXPECT_EQ(again.key().attempt(), 2u) << "an attempt's number is never used again";
}

TEST_F(Repeat, LooksAgainAtWhatFailed) {
  Watch();
  hospital.Launch(draft);
  hospital.Run("ws-001", model::v1::OUTCOME_FAILED, "not_held");
  EXPECT_EQ(hospital.Target(1).state(), model::v1::TARGET_STATE_FAILED);
  hospital.Pass(11 * 60'000);
  hospital.Run("ws-001", model::v1::OUTCOME_UNCHANGED);
  hospital.Run("ws-001", model::v1::OUTCOME_UNCHANGED);
  EXPECT_EQ(hospital.Target(1).state(), model::v1::TARGET_STATE_SUCCEEDED);
}

TEST_F(Repeat, GoesOnUntilThePlanExpiresWhereThereIsNothingElse) {
  Watch();
  hospital.Launch(draft);
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), model::v1::RUN_STATE_RUNNING);
  int rounds = 0;
  for (; rounds < 200 && hospital.RunOf().state() == model::v1::RUN_STATE_RUNNING; ++rounds) {
    hospital.Pass(10 * 60'000);
    hospital.RunAll();
  }
  EXPECT_EQ(rounds, 23 * 6) << "23 hours were left";
  EXPECT_EQ(hospital.Target(1).code(), "");
  EXPECT_EQ(hospital.RunOf().state(), model::v1::RUN_STATE_SUCCEEDED);
}

TEST_F(Repeat, EndsWithTheStagesThatItAccompanies) {
  Watch();
  draft.AddStep(draft.AddStage("work", {2}), "work");
  hospital.Launch(draft);
  hospital.Run("ws-001", model::v1::OUTCOME_UNCHANGED);
  hospital.Run("ws-001", model::v1::OUTCOME_UNCHANGED);
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), model::v1::RUN_STATE_SUCCEEDED);
}

TEST_F(Repeat, HoldsUpNoStageThatComesAfterItsFirstTime) {
  Watch();
  plan::v1::Stage& work = draft.AddStage("work", {1}, {0});
  plan::v1::Step& step = draft.AddStep(work, "work");
  step.set_retries(5);
  step.set_backoff_ms(15 * 60'000);
  draft.header.mutable_limits()->set_in_flight_max(1);
  hospital.Launch(draft);
  hospital.Run("ws-001", model::v1::OUTCOME_UNCHANGED);
  hospital.Run("ws-001", model::v1::OUTCOME_UNCHANGED);
  hospital.Run("ws-001", model::v1::OUTCOME_FAILED, "not_held");
  hospital.Pass(16 * 60'000);  // The watch is due and finds no place; the work tries again all the same.
  const agent::v1::Task again = hospital.Take("ws-001");
  EXPECT_EQ(again.key().stage(), 1u);
  hospital.Accept(again, "ws-001");
  hospital.Finish(again, "ws-001", model::v1::OUTCOME_UNCHANGED);
  hospital.RunAll();
  EXPECT_EQ(hospital.RunOf().state(), model::v1::RUN_STATE_SUCCEEDED);
}

TEST_F(Repeat, KeepsStillInAPause) {
  Watch();
  hospital.Launch(draft);
  hospital.RunAll();
  ASSERT_OK(hospital.Do("bob", Command::Pause{1, "lunch"}));
  hospital.Pass(kHour);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  ASSERT_OK(hospital.Do("bob", Command::Resume{1}));
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
}

TEST_F(Repeat, ComesBackAfterADeathOfTheCoordinator) {
  Watch();
  hospital.Launch(draft);
  hospital.RunAll();
  hospital.Pass(11 * 60'000);
  hospital.Crash();
  hospital.Connect("ws-001");
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
}

TEST_F(Repeat, IsNothingForAStepThatChanges) {
  PlanDraft changing(hospital.people);
  plan::v1::Stage& stage = changing.AddStage("watch", {1});
  stage.set_repeat_ms(10 * 60'000);
  changing.AddStep(stage, "install");
  EXPECT_THAT(hospital.Submit(changing),
              ::reprise::testing::StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("does more than read")));
}

}  // namespace
}  // namespace reprise::engine
