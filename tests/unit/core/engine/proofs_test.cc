#include "core/engine/proofs.h"

#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using testing::Hospital;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kHour;
using testing::PlanDraft;

// ws-001 works; ws-002 is the gateway, of which a claim is required.
class Proofs : public ::testing::Test {
 protected:
  void Launch(const std::function<void(plan::v1::Step&)>& change = {}) {
    plan::v1::Stage& stage = draft.AddStage("start", {1});
    plan::v1::Requirement& requirement = *stage.add_requirements();
    requirement.set_claim("mock.closed");
    requirement.set_host("ws-002");
    requirement.set_within_ms(15 * 60'000);
    plan::v1::Step& first = draft.AddStep(stage, "restore");
    if (change) change(first);
    draft.AddStep(stage, "start");
    hospital.Launch(draft);
  }
  // ws-002 ends a task of a run of its own that says this of the claim, and perhaps of a copy.
  void Prove(model::v1::ClaimState state, const std::function<void(agent::v1::Finished&)>& change = {}) {
    ++proofs;
    PlanDraft proof(hospital.people, model::v1::EFFECT_READ, absl::StrCat("proof-0000000", proofs));
    proof.AddStep(proof.AddStage("prove", {1}), "prove");
    proof.PlaceOn("ws-002");
    hospital.Launch(proof);
    const agent::v1::Task task = hospital.Take("ws-002");
    agent::v1::AgentMessage message;
    auto& finished = *message.mutable_finished();
    *finished.mutable_key() = task.key();
    finished.set_outcome(state == model::v1::CLAIM_STATE_HOLDS ? model::v1::OUTCOME_UNCHANGED : model::v1::OUTCOME_FAILED);
    auto& claim = *finished.add_claims();
    claim.set_name("mock.closed");
    claim.set_state(state);
    claim.set_detail("24 probes");
    if (change) change(finished);
    hospital.Accept(task, "ws-002");
    hospital.Say("ws-002", message);
  }
  std::vector<std::string> WaitsFor() {
    const plan::v1::Stage& stage = hospital.engine.FindPlan(hospital.RunOf(1).plan_id())->header.stages(0);
    return UnmetRequirements(stage, {hospital.engine.FindHost("ws-002")}, hospital.now);
  }

  Hospital hospital{2};
  PlanDraft draft{hospital.people};
  int proofs = 0;
};

TEST_F(Proofs, HoldTheStageBackUntilTheClaimHolds) {
  Launch();
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_THAT(WaitsFor(), ElementsAre("mock.closed of ws-002: never proven"));
  Prove(model::v1::CLAIM_STATE_FAILS);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_THAT(WaitsFor(), ElementsAre(HasSubstr("fails at")));
  Prove(model::v1::CLAIM_STATE_UNKNOWN);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  Prove(model::v1::CLAIM_STATE_HOLDS);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
  EXPECT_THAT(WaitsFor(), IsEmpty());
}

TEST_F(Proofs, AreAskedForAgainBeforeEveryTask) {
  Launch();
  Prove(model::v1::CLAIM_STATE_HOLDS);
  hospital.Pass(16 * 60'000);
  hospital.Run("ws-001");
  EXPECT_THAT(hospital.Busy(), IsEmpty()) << "the proof is too old for the second step";
  EXPECT_THAT(WaitsFor(), ElementsAre(HasSubstr("no proof may be older than 15m")));
  Prove(model::v1::CLAIM_STATE_HOLDS);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
  Prove(model::v1::CLAIM_STATE_FAILS);
  hospital.Run("ws-001");
  EXPECT_EQ(hospital.RunOf(1).state(), model::v1::RUN_STATE_SUCCEEDED) << "what was sent is not called back";
}

TEST_F(Proofs, SurviveADeathOfTheCoordinator) {
  Launch();
  Prove(model::v1::CLAIM_STATE_FAILS);
  hospital.Crash();
  hospital.Connect("ws-001");
  hospital.Connect("ws-002");
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  Prove(model::v1::CLAIM_STATE_HOLDS);
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
}

void NameCopy(plan::v1::Step& step) {
  plan::v1::RecoveryPoint& point = *step.mutable_recovery_point();
  point.set_set("planning");
  point.set_point("d1");
  point.set_judged_by("ws-002");
  point.set_verdict(model::v1::BACKUP_VERDICT_INTACT);
  point.set_manifest_sha256(crypto::Sha256("d1"));
  point.set_taken_ms(testing::kNoon - 10 * 24 * kHour);
  point.set_compromised_ms(testing::kNoon - 9 * 24 * kHour);
}

void JudgeIt(agent::v1::Finished& finished, model::v1::BackupVerdict verdict, const std::string& content = "d1") {
  agent::v1::Verdict& said = *finished.add_verdicts();
  said.set_set("planning");
  said.set_point("d1");
  said.set_verdict(verdict);
  said.set_manifest_sha256(crypto::Sha256(content));
  said.set_coverage(1);
}

TEST_F(Proofs, LetARestoreGoAsSoonAsTheDeciderOfItsConcessionSigns) {
  Launch([](plan::v1::Step& step) {
    NameCopy(step);
    plan::v1::RecoveryPoint& point = *step.mutable_recovery_point();
    point.set_verdict(model::v1::BACKUP_VERDICT_INTACT_SAMPLED);
    plan::v1::Concession& concession = *point.mutable_concession();
    concession.set_name("sampled-planning");
    concession.add_allows(model::v1::ALLOWANCE_SAMPLED);
    concession.set_decided_by("carol");
    concession.set_expires_ms(testing::kNoon + 24 * kHour);
  });
  Prove(model::v1::CLAIM_STATE_HOLDS, [](agent::v1::Finished& finished) { JudgeIt(finished, model::v1::BACKUP_VERDICT_INTACT_SAMPLED); });
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  EXPECT_EQ(hospital.Target(1).state(), model::v1::TARGET_STATE_WAITING);
  EXPECT_EQ(hospital.Target(1).code(), "verdict") << "said at once, not when patience is over";
  EXPECT_THAT(hospital.Target(1).reason(), HasSubstr("carol"));
  ASSERT_OK(hospital.Sign(draft, "carol"));
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
  EXPECT_EQ(hospital.Target(1).reason(), "");
}

TEST_F(Proofs, LetARestoreGoOnlyByTheNewestJudgementOfItsCopy) {
  Launch(NameCopy);
  const auto judged = [](model::v1::BackupVerdict verdict, const std::string& content = "d1") {
    return [=](agent::v1::Finished& finished) { JudgeIt(finished, verdict, content); };
  };
  Prove(model::v1::CLAIM_STATE_HOLDS);
  EXPECT_THAT(hospital.Busy(), IsEmpty()) << "nobody has judged it";
  Prove(model::v1::CLAIM_STATE_HOLDS, judged(model::v1::BACKUP_VERDICT_CORRUPT));
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  Prove(model::v1::CLAIM_STATE_HOLDS, judged(model::v1::BACKUP_VERDICT_INTACT, "other bytes"));
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  hospital.Pass(2 * 60'000);
  EXPECT_EQ(hospital.Target(1).state(), model::v1::TARGET_STATE_DEFERRED);
  EXPECT_EQ(hospital.Target(1).code(), "verdict");
  EXPECT_THAT(hospital.Target(1).reason(), HasSubstr("of other content"));
  Prove(model::v1::CLAIM_STATE_HOLDS, judged(model::v1::BACKUP_VERDICT_INTACT));
  EXPECT_THAT(hospital.Busy(), ElementsAre("ws-001"));
  EXPECT_EQ(hospital.engine.state().recovery_points_size(), 1) << "the newest word takes the place of the others";
}

TEST_F(Proofs, TakeNoJudgementThatMakesNoSense) {
  Launch(NameCopy);
  Prove(model::v1::CLAIM_STATE_HOLDS, [](agent::v1::Finished& finished) {
    JudgeIt(finished, model::v1::BACKUP_VERDICT_INTACT);
    finished.mutable_verdicts(0)->clear_manifest_sha256();
    JudgeIt(finished, static_cast<model::v1::BackupVerdict>(77));
    JudgeIt(finished, model::v1::BACKUP_VERDICT_INTACT);
    finished.mutable_verdicts(2)->set_point("../d1");
  });
  EXPECT_EQ(hospital.engine.state().recovery_points_size(), 0);
  EXPECT_THAT(hospital.Busy(), IsEmpty());
}

}  // namespace
}  // namespace reprise::engine
