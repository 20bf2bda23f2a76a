// What people are to decide is put before them, also when something else happened first: a budget that is breached in a
// pause, a waiver whose signer was revoked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PutForwardTest : public ::testing::Test {
 protected:
  void ExtendKeyring() {
    operators::v1::ExtendKeyringRequest request;
    *request.mutable_statement() = hospital.people.chain().back();
    ASSERT_OK(hospital.Do("alice", request));
  }

  Hospital hospital{3};
  PlanDraft draft{hospital.people};
};

TEST_F(PutForwardTest, ABudgetThatIsBreachedWhileSomebodyHasPausedIsWhatTheRunWaitsFor) {
  auto& stage = draft.AddStage("protect", {1, 1});
  stage.mutable_wave_budget()->set_max_failures(0);
  draft.header.mutable_limits()->mutable_budget()->set_max_failures(0);
  draft.AddStep(stage, "install");
  hospital.Launch(draft);
  const agent::v1::Task task = hospital.Take("ws-001");
  ASSERT_OK(hospital.Do("bob", Command::Pause{1, "lunch"}));
  EXPECT_EQ(hospital.RunOf().pause_code(), "operator");
  hospital.Finish(task, "ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.RunOf().pause_code(), "budget");
  EXPECT_THAT(hospital.RunOf().pause_reason(), AllOf(HasSubstr("1 of 1 failed"), HasSubstr("paused already: lunch")));
  const size_t events = hospital.journal.size();
  hospital.Disconnect("ws-003");
  hospital.Pass(kHour);
  EXPECT_EQ(hospital.journal.size(), events + 1) << "said once";
  hospital.Crash();
  EXPECT_EQ(hospital.RunOf().pause_code(), "budget");
  hospital.Connect("ws-002");
  ASSERT_OK(hospital.Do("bob", Command::Resume{1}));
  EXPECT_EQ(hospital.RunOf().pause_code(), "");
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-002"));
}

TEST_F(PutForwardTest, AGateIsAskedAboutAgainWhenTheAdminWhoWaivedItLongestIsRevoked) {
  hospital.people.Join("dave", {v1::ROLE_ADMIN});
  ExtendKeyring();
  auto& stage = draft.AddStage("protect", {2});
  stage.set_in_flight_max(1);
  draft.AddStep(stage, "install");
  draft.AddGate(stage, "before-protect");
  hospital.Launch(draft);
  ASSERT_OK(hospital.SignGate(draft.Decision("before-protect", "dave", 1, true, hospital.now + 10 * kHour), "dave"));
  const agent::v1::Task task = hospital.Take("ws-001");
  hospital.people.Revoke("dave");
  ExtendKeyring();
  hospital.Accept(task, "ws-001");
  hospital.Finish(task, "ws-001");
  EXPECT_THAT(hospital.Busy(), IsEmpty()) << "the agent would not believe the waiver";
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_READY);
}

}  // namespace
}  // namespace reprise::engine
