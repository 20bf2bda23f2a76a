// What a host found out is believed as long as the host is the one that people admitted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/proofs.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ws-001 is restored from a copy that ws-002, the reader, judged good, while the claim of ws-002 holds.
class ForgottenFindingsTest : public ::testing::Test {
 protected:
  ForgottenFindingsTest() {
    plan::v1::Stage& stage = draft.AddStage("restore", {1});
    auto& requirement = *stage.add_requirements();
    requirement.set_claim("mock.closed");
    requirement.set_host("ws-002");
    requirement.set_within_ms(kHour);
    auto& point = *draft.AddStep(stage, "restore").mutable_recovery_point();
    point.set_set("lis");
    point.set_point("d1");
    point.set_judged_by("ws-002");
    point.set_verdict(v1::BACKUP_VERDICT_INTACT);
    point.set_manifest_sha256(crypto::Sha256("d1"));
    point.set_taken_ms(kNoon - 10 * 24 * kHour);
    point.set_compromised_ms(kNoon - 9 * 24 * kHour);
  }
  void Look() {
    PlanDraft look(hospital.people, v1::EFFECT_READ, absl::StrCat("look-0000000", ++looks));
    look.AddStep(look.AddStage("look", {1}), "look");
    look.PlaceOn("ws-002");
    hospital.Launch(look);
    agent::v1::AgentMessage message;
    auto& finished = *message.mutable_finished();
    *finished.mutable_key() = hospital.Take("ws-002").key();
    finished.set_outcome(v1::OUTCOME_UNCHANGED);
    auto& claim = *finished.add_claims();
    claim.set_name("mock.closed");
    claim.set_state(v1::CLAIM_STATE_HOLDS);
    finished.add_measures()->set_name("mock.files");
    auto& verdict = *finished.add_verdicts();
    verdict.set_set("lis");
    verdict.set_point("d1");
    verdict.set_verdict(v1::BACKUP_VERDICT_INTACT);
    verdict.set_manifest_sha256(crypto::Sha256("d1"));
    hospital.Say("ws-002", message);
  }
  void Expel() {
    operators::v1::ExpelHostRequest expel;
    expel.set_host("ws-002");
    expel.set_reason("its disk was copied");
    ASSERT_OK(hospital.Do("alice", expel));
  }
  void ExpectNothingIsKnown() {
    EXPECT_EQ(hospital.engine.FindHost("ws-002")->claims_size(), 0);
    EXPECT_EQ(hospital.engine.FindHost("ws-002")->measures_size(), 0);
    EXPECT_EQ(hospital.engine.state().recovery_points_size(), 0);
  }
  std::vector<std::string> WaitsFor(uint64_t run) {
    const plan::v1::Stage& stage = hospital.engine.FindPlan(hospital.RunOf(run).plan_id())->header.stages(0);
    return UnmetRequirements(stage, {hospital.engine.FindHost("ws-002")}, hospital.now);
  }

  Hospital hospital{2};
  PlanDraft draft{hospital.people};
  int looks = 0;
};

TEST_F(ForgottenFindingsTest, AreNotBelievedOfAHostThatIsExpelled) {
  Look();
  ASSERT_EQ(hospital.engine.state().recovery_points_size(), 1);
  Expel();
  ExpectNothingIsKnown();
  hospital.Launch(draft);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_THAT(WaitsFor(2), ElementsAre(HasSubstr("nobody has admitted the host")));
  hospital.Crash();
  ExpectNothingIsKnown();
}

TEST_F(ForgottenFindingsTest, AreNotBelievedOfAMachineThatJoinedUnderTheNameOfAnother) {
  Look();
  ASSERT_OK(hospital.Enrol("ws-002"));
  ExpectNothingIsKnown();
  hospital.Launch(draft);
  hospital.Connect("ws-002");
  Look();
  EXPECT_THAT(hospital.Busy(), IsEmpty()) << "anybody may have joined";
  EXPECT_THAT(WaitsFor(2), ElementsAre(HasSubstr("mock.closed of ws-002: nobody has admitted the host")));
  hospital.Admit("ws-002", 2);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001")) << "looked at again as soon as somebody admits it";
}

TEST_F(ForgottenFindingsTest, OfOtherHostsStay) {
  Look();
  ASSERT_OK(hospital.Enrol("ws-001"));
  EXPECT_EQ(hospital.engine.FindHost("ws-002")->claims_size(), 1);
  EXPECT_EQ(hospital.engine.state().recovery_points_size(), 1);
}

}  // namespace
}  // namespace reprise::engine
