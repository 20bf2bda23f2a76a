// What a run leaves on a host when it ends without that host's word: nothing may stand in the way of other work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using ::testing::ElementsAre;

class EndedRunsTest : public ::testing::Test {
 protected:
  // Run 1 was aborted while ws-001 was silent in mid-task.
  EndedRunsTest() {
    draft.AddStep(draft.AddStage("protect", {1}), "install");
    hospital.Launch(draft);
    task = hospital.Take("ws-001");
    hospital.Accept(task, "ws-001");
    hospital.Disconnect("ws-001");
    EXPECT_OK(hospital.Do("bob", Command::Abort{1, "wrong plan"}));
    hospital.Pass(60'000);
    EXPECT_EQ(hospital.RunOf().state(), v1::RUN_STATE_ABORTED);
  }
  void ComeBackWithTheTask() {
    agent::v1::Hello hello;
    *hello.add_in_flight() = task.key();
    hospital.Connect("ws-001", hello);
  }
  void ExpectOtherWorkGoesOn() {
    PlanDraft next(hospital.people, v1::EFFECT_CHANGE, "next-00000000");
    next.AddStep(next.AddStage("protect", {1}), "install");
    hospital.Forget();
    hospital.Launch(next);
    EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
    hospital.RunAll();
    EXPECT_EQ(hospital.RunOf(2).state(), v1::RUN_STATE_SUCCEEDED);
  }

  Hospital hospital{2};
  PlanDraft draft{hospital.people};
  agent::v1::Task task;
};

TEST_F(EndedRunsTest, AreNotTakenUpAgainByAHostThatStillHasTheirTask) {
  ComeBackWithTheTask();
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_LOST);
  EXPECT_EQ(hospital.Cancelled("ws-001"), 1u);
  hospital.Accept(task, "ws-001");
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_LOST);
  ExpectOtherWorkGoesOn();
}

TEST_F(EndedRunsTest, BlockNoHostThatIsReinstalledWithTheirTaskOnIt) {
  ComeBackWithTheTask();
  ASSERT_OK(hospital.Enrol("ws-001"));
  hospital.Admit("ws-001", 2);
  hospital.Connect("ws-001");
  ExpectOtherWorkGoesOn();
}

// As journals have it that were written when such a task was taken up again.
TEST_F(EndedRunsTest, LoseWhatIsInFlightOfThemAsSoonAsTheHostOpensASession) {
  journal::v1::Event event;
  event.set_at_ms(hospital.now);
  auto& accepted = *event.mutable_task_accepted();
  accepted.set_run(1);
  accepted.set_attempt(1);
  ASSERT_OK(hospital.engine.Apply(event));
  hospital.journal.push_back(event);
  ASSERT_EQ(hospital.Target(1).task(), v1::TASK_STATE_RUNNING);
  hospital.Crash();
  hospital.Connect("ws-001");
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_LOST);
  ExpectOtherWorkGoesOn();
}

}  // namespace
}  // namespace reprise::engine
