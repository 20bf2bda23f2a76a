#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/report/views.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::report {
namespace {

using namespace engine::testing;  // NOLINT: the hospital's words
using ::testing::ElementsAre;

class ViewsTest : public ::testing::Test {
 protected:
  operators::v1::RunView Run(bool targets = true) const { return ViewOfRun(hospital.engine, hospital.RunOf(), targets, hospital.now); }

  Hospital hospital{4};
  PlanDraft draft{hospital.people};
};

TEST_F(ViewsTest, CountsEachTargetOnceInItsWaveItsStageAndTheRun) {
  draft.AddStep(draft.AddStage("protect", {1, 3}), "install");
  hospital.Launch(draft);
  hospital.Run("ws-001");
  hospital.Run("ws-002", v1::OUTCOME_FAILED, "disk_full");
  const auto view = Run();
  EXPECT_EQ(view.counts().total(), 4u);
  EXPECT_EQ(view.counts().succeeded(), 1u);
  EXPECT_EQ(view.counts().failed(), 1u);
  EXPECT_EQ(view.counts().active(), 2u);
  ASSERT_EQ(view.stages_size(), 1);
  EXPECT_EQ(view.stages(0).counts().total(), 4u);
  EXPECT_EQ(view.stages(0).waves(0).counts().succeeded(), 1u);
  EXPECT_EQ(view.stages(0).waves(1).counts().total(), 3u);
}

TEST_F(ViewsTest, ShowsFirstWhatNeedsAPersonsEye) {
  draft.AddStep(draft.AddStage("protect", {4}), "install");
  hospital.Launch(draft);
  hospital.Run("ws-001");
  hospital.Run("ws-003", v1::OUTCOME_FAILED, "disk_full");
  const auto view = Run();
  std::vector<std::string> order;
  for (const auto& target : view.targets()) order.push_back(target.host());
  EXPECT_THAT(order, ElementsAre("ws-003", "ws-002", "ws-004", "ws-001"));
  EXPECT_EQ(view.targets(0).code(), "disk_full");
}

TEST_F(ViewsTest, LeavesTargetsOutWhereTheyAreNotAskedFor) {
  draft.AddStep(draft.AddStage("protect", {4}), "install");
  hospital.Launch(draft);
  EXPECT_EQ(Run(false).targets_size(), 0);
  EXPECT_EQ(Run(false).counts().total(), 4u);
}

TEST_F(ViewsTest, ShowsAGateWithWhatIsSignedAndWhoDid) {
  auto& stage = draft.AddStage("protect", {1, 3});
  draft.AddStep(stage, "install");
  draft.AddGate(stage, "after-canary", 1, 2);
  hospital.Launch(draft);
  EXPECT_EQ(Run().gates(0).state(), v1::GATE_STATE_LOCKED);
  hospital.RunAll();
  EXPECT_OK(hospital.SignGate(draft.Decision("after-canary", "alice")));
  const auto list = ViewOfGates(hospital.engine, /*active_only=*/true);
  ASSERT_EQ(list.gates_size(), 1);
  EXPECT_EQ(list.gates(0).state(), v1::GATE_STATE_READY);
  EXPECT_EQ(list.gates(0).quorum(), 2u);
  EXPECT_EQ(list.gates(0).wave(), 1);
  EXPECT_THAT(list.gates(0).signers(), ElementsAre("alice"));
  EXPECT_EQ(list.gates(0).plan_root(), hospital.engine.FindPlan("edr-00000000")->statement.merkle_root);
}

TEST_F(ViewsTest, SaysHowManySignaturesAPlanNeeds) {
  draft.AddStep(draft.AddStage("protect", {1}), "install");
  ASSERT_OK(hospital.Submit(draft));
  const auto& record = hospital.engine.state().plans(0);
  EXPECT_EQ(ViewOfPlan(hospital.engine, record, false).signatures_needed(), 1u);
  EXPECT_FALSE(ViewOfPlan(hospital.engine, record, false).has_bundle());
  EXPECT_TRUE(ViewOfPlan(hospital.engine, record, true).has_bundle());
  ASSERT_OK(hospital.Sign(draft, "alice"));
  EXPECT_THAT(ViewOfPlan(hospital.engine, hospital.engine.state().plans(0), false).signers(), ElementsAre("alice"));
}

TEST_F(ViewsTest, GivesTheMedianAndTheWorstOfAStopsLatencies) {
  journal::v1::StopRecord stop;
  for (const int64_t latency : {40, 10, 30}) {
    auto& confirmed = *stop.add_confirmed();
    confirmed.set_latency_ms(latency);
    confirmed.set_killed(1);
  }
  const auto view = ViewOfStop(stop);
  EXPECT_EQ(view.latency_p50_ms(), 30);
  EXPECT_EQ(view.latency_max_ms(), 40);
  EXPECT_EQ(view.killed(), 3u);
}

TEST_F(ViewsTest, SelectsHostsByWhatIsInForce) {
  hospital.Admit("ws-002", 2, [](model::HostStatement& statement) { statement.zone = v1::ZONE_REBUILT; });
  const auto rebuilt = ViewOfHosts(hospital.engine, "zone == rebuilt");
  ASSERT_OK(rebuilt.status());
  ASSERT_EQ(rebuilt->hosts_size(), 1);
  EXPECT_EQ(rebuilt->hosts(0).name(), "ws-002");
  EXPECT_EQ(ViewOfHosts(hospital.engine, "")->hosts_size(), 4);
}

TEST_F(ViewsTest, StandsAnApplicationOnTheHighestRungBelowWhichEveryRungHolds) {
  const auto claim = [](const char* name, model::v1::ClaimState state) {
    agent::v1::Claim made;
    made.set_name(name);
    made.set_state(state);
    return made;
  };
  plan::v1::Stage& stage = draft.AddStage("look", {1});
  draft.AddStep(stage, "look");
  hospital.Launch(draft);
  const agent::v1::Task task = hospital.Take("ws-001");
  agent::v1::AgentMessage message;
  auto& finished = *message.mutable_finished();
  *finished.mutable_key() = task.key();
  finished.set_outcome(model::v1::OUTCOME_CHANGED);
  *finished.add_claims() = claim("mock.data_found", model::v1::CLAIM_STATE_HOLDS);
  *finished.add_claims() = claim("mock.data_ok", model::v1::CLAIM_STATE_HOLDS);
  *finished.add_claims() = claim("mock.restored", model::v1::CLAIM_STATE_UNKNOWN);
  *finished.add_claims() = claim("mock.in_test", model::v1::CLAIM_STATE_HOLDS);
  *finished.add_claims() = claim("mock.protected", model::v1::CLAIM_STATE_HOLDS);
  hospital.Accept(task, "ws-001");
  hospital.Say("ws-001", message);
  const auto board = ViewOfBoard(hospital.engine);
  ASSERT_EQ(board.applications_size(), 1);
  EXPECT_EQ(board.applications(0).name(), "mock");
  EXPECT_EQ(board.applications(0).stage(), model::v1::APP_STAGE_DATA_OK) << "in_test stands on a rung that is unknown";
  EXPECT_EQ(board.applications(0).rungs_size(), 4);
}

}  // namespace
}  // namespace reprise::report
