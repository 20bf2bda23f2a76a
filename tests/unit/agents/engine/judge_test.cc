#include "agents/engine/judge.h"

#include <gtest/gtest.h>

#include "tests/unit/agents/engine/judge_case.h"

namespace reprise::agents {
namespace {

using namespace testing;  // NOLINT: the fixture's words

TEST_F(JudgeTest, PermitsWhatPeopleSignedForThisHost) {
  Admit();
  const Verdict verdict = Ask(plan.Key(), plan.Authority());
  const auto& permit = std::get<Permit>(verdict);
  EXPECT_EQ(permit.action, "install");
  EXPECT_EQ(permit.effect, v1::EFFECT_CHANGE);
  EXPECT_EQ(permit.plugin_sha256, crypto::Sha256("the plugin's bytes"));
  EXPECT_EQ(permit.params_json, R"({"mode":"ok"})");
  EXPECT_EQ(permit.attempts_max, 5u);
  EXPECT_FALSE(permit.plugin_signature_needed);
}

TEST_F(JudgeTest, TakesTheHostsOwnParametersFromItsLeaf) {
  auto* own = plan.leaves[0].mutable_placements(0)->add_overrides();
  own->set_step(0);
  own->set_params_json(R"({"mode":"mine"})");
  Admit();
  EXPECT_EQ(std::get<Permit>(Ask(plan.Key(), plan.Authority())).params_json, R"({"mode":"mine"})");
}

TEST_F(JudgeTest, RefusesAPlanThatNobodySigned) {
  plan.signers.clear();
  Admit();
  EXPECT_EQ(Code(), "unsigned");
}

TEST_F(JudgeTest, RefusesATaskWithoutAnyStatement) {
  Admit();
  EXPECT_EQ(CodeFor(plan::v1::PlanAuthority()), "unsigned");
}

TEST_F(JudgeTest, RefusesAStatementChangedAfterItWasSigned) {
  Admit();
  auto authority = plan.Authority();
  plan.header.set_workflow("ransom");
  PlanMaker forged = plan;
  authority.mutable_plan()->set_statement(forged.Statement().Write().Bytes());
  authority.set_header(forged.header.SerializeAsString());
  EXPECT_EQ(CodeFor(authority), "bad_signature");
}

TEST_F(JudgeTest, RefusesASignatureMadeForAnotherKindOfStatement) {
  Admit();
  auto authority = plan.Authority();
  *authority.mutable_plan()->mutable_signatures(0) = Admission(people).signatures(0);
  EXPECT_EQ(CodeFor(authority), "bad_signature");
}

TEST_F(JudgeTest, RefusesADestroyingPlanWithOneSignature) {
  PlanMaker destroying(people, v1::EFFECT_DESTROY);
  Admit();
  EXPECT_EQ(CodeFor(destroying.Authority()), "permitted");
  destroying.signers = {"alice"};
  EXPECT_EQ(CodeFor(destroying.Authority()), "too_few_signatures");
  destroying.signers = {"alice", "alice"};
  EXPECT_EQ(CodeFor(destroying.Authority()), "too_few_signatures");
}

TEST_F(JudgeTest, RefusesTheSignatureOfSomebodyWhoMayNotSignPlans) {
  People strangers;
  Admit();
  auto authority = plan.Authority();
  *authority.mutable_plan() = strangers.Signed(plan.Statement().Write(), {"alice"});
  EXPECT_EQ(CodeFor(authority), "too_few_signatures");
}

TEST_F(JudgeTest, RefusesTheSignatureOfARevokedKey) {
  plan.signers = {"bob"};
  plan.header.set_requester("alice");
  Admit();
  EXPECT_EQ(Code(), "permitted");
  *records.emplace_back().mutable_keyring_extended() = people.Revoke("bob");
  EXPECT_EQ(Code(), "too_few_signatures");
}

TEST_F(JudgeTest, RefusesAHeaderThatIsNotTheSignedOne) {
  Admit();
  auto authority = plan.Authority();
  plan.header.mutable_stages(0)->mutable_steps(0)->set_params_json(R"({"mode":"evil"})");
  authority.set_header(plan.header.SerializeAsString());
  EXPECT_EQ(CodeFor(authority), "bad_proof");
}

TEST_F(JudgeTest, RefusesALeafThatIsNotInTheSignedTree) {
  Admit();
  auto authority = plan.Authority();
  plan.leaves[0].mutable_placements(0)->add_overrides()->set_params_json(R"({"mode":"evil"})");
  authority.set_leaf(plan.leaves[0].SerializeAsString());
  EXPECT_EQ(CodeFor(authority), "bad_proof");
}

TEST_F(JudgeTest, RefusesAPlanWhoseStepsGoBeyondItsEffect) {
  plan.header.set_effect(v1::EFFECT_READ);
  Admit();
  EXPECT_EQ(Code(), "bad_proof");
}

TEST_F(JudgeTest, RefusesATaskThatNamesAnotherPlanThanItsStatement) {
  Admit();
  auto key = plan.Key();
  key.set_plan_id("edr-11111111");
  EXPECT_EQ(CodeFor(key, plan.Authority()), "bad_proof");
}

TEST_F(JudgeTest, RefusesAnExpiredPlan) {
  Admit();
  now = plan.header.expires_ms();
  EXPECT_EQ(Code(), "expired");
}

TEST_F(JudgeTest, RefusesAPlanThatWasForgottenEvenWhenTheClockWentBack) {
  Admit();
  records.emplace_back().mutable_plans_forgotten()->set_until_ms(plan.header.expires_ms());
  EXPECT_EQ(Code(), "expired");
}

TEST_F(JudgeTest, RefusesAnotherHostsLeaf) {
  Admit();
  EXPECT_EQ(CodeFor(plan.Authority(1)), "wrong_host");
}

TEST_F(JudgeTest, RefusesAStageOrStepThatTheLeafDoesNotGive) {
  Admit();
  EXPECT_EQ(CodeFor(plan.Key(1, 9), plan.Authority()), "unknown_step");
  auto key = plan.Key();
  key.set_stage(3);
  EXPECT_EQ(CodeFor(key, plan.Authority()), "unknown_step");
}

TEST_F(JudgeTest, RefusesToUndoWhatNoStepFromItOnUndoes) {
  plan.AddStep("second", v1::EFFECT_CHANGE);
  Admit();
  EXPECT_EQ(CodeFor(plan.Key(1, 1, true), plan.Authority()), "unknown_step");
  plan.header.mutable_stages(0)->mutable_steps(0)->set_on_failure(v1::ON_FAILURE_ROLLBACK);
  EXPECT_EQ(CodeFor(plan.Key(1, 1, true), plan.Authority()), "unknown_step") << "a step before it says so";
  EXPECT_EQ(CodeFor(plan.Key(1, 0, true), plan.Authority()), "permitted");
  plan.AddUndoingStep();
  EXPECT_EQ(CodeFor(plan.Key(1, 1, true), plan.Authority()), "permitted");
}

TEST_F(JudgeTest, RefusesToUndoWhatCannotBeUndone) {
  plan.AddUndoingStep();
  plan.header.mutable_stages(0)->mutable_steps(0)->set_undoable(false);
  Admit();
  EXPECT_EQ(CodeFor(plan.Key(1, 0, true), plan.Authority()), "unknown_step");
}

TEST_F(JudgeTest, RefusesAPlanMadeUnderALaterKeyring) {
  plan.header.set_keyring_version(2);
  Admit();
  EXPECT_EQ(Code(), "keyring");
}

TEST_F(JudgeTest, RefusesBehindAGateUntilItsQuorumHasSigned) {
  plan.AddGate("before-protect", 2);
  Admit();
  EXPECT_EQ(Code(), "gate_closed");
  gates = {plan.Decision("before-protect", "alice")};
  EXPECT_EQ(Code(), "gate_closed");
  gates.push_back(plan.Decision("before-protect", "bob"));  // The requester does not count.
  EXPECT_EQ(Code(), "gate_closed");
  gates.push_back(plan.Decision("before-protect", "carol"));
  EXPECT_EQ(Code(), "permitted");
}

TEST_F(JudgeTest, RefusesADecisionMadeForAnotherRun) {
  plan.AddGate("before-protect");
  Admit();
  gates = {plan.Decision("before-protect", "alice", 8)};
  EXPECT_EQ(Code(), "gate_closed");
}

TEST_F(JudgeTest, RefusesBehindAWaiverThatHasRunOut) {
  plan.AddGate("before-protect", 2);
  Admit();
  gates = {plan.Decision("before-protect", "alice", 7, true, now + kHour)};
  EXPECT_EQ(Code(), "permitted");
  now += 2 * kHour;
  EXPECT_EQ(Code(), "gate_closed");
}

TEST_F(JudgeTest, KeepsAGateOpenThatItOnceFoundOpen) {
  plan.AddGate("before-protect", 2);
  Admit();
  auto* kept = records.emplace_back().mutable_plan_kept();
  kept->set_plan_id(plan.header.plan_id());
  kept->set_run(7);
  auto* accepted = records.emplace_back().mutable_attempt_accepted();
  *accepted->mutable_key() = plan.Key();
  accepted->add_open_gates("before-protect");
  EXPECT_EQ(Code(), "permitted");
}

TEST_F(JudgeTest, RefusesWhenTheHostHasMovedToAnotherZone) {
  Admit([](auto& own) { own.zone = v1::ZONE_REBUILT; });
  EXPECT_EQ(Code(), "zone");
}

TEST_F(JudgeTest, RefusesWhenTheHostIsOfAnotherClass) {
  Admit([](auto& own) { own.asset_class = v1::ASSET_CLASS_SERVER; });
  EXPECT_EQ(Code(), "asset_class");
}

TEST_F(JudgeTest, RefusesAProtectedClassWhateverThePlanSays) {
  Admit([](auto& own) { own.asset_class = v1::ASSET_CLASS_MEDICAL_DEVICE; });
  EXPECT_EQ(Code(), "protected_class");
  plan.leaves[0].set_asset_class(v1::ASSET_CLASS_MEDICAL_DEVICE);
  EXPECT_EQ(Code(), "protected_class");
}

TEST_F(JudgeTest, RefusesToChangeUnderAnEvidenceHold) {
  Admit([](auto& own) { own.hold = "police copy of the disk"; });
  EXPECT_EQ(Code(), "hold");
}

TEST_F(JudgeTest, RefusesToChangeBeforeAnAdmissionAndInQuarantine) {
  EXPECT_EQ(Code(), "quarantine");
  Admit([](auto& own) { own.zone = v1::ZONE_QUARANTINE; });
  EXPECT_EQ(Code(), "quarantine");
  plan.leaves[0].set_zone(v1::ZONE_QUARANTINE);
  EXPECT_EQ(Code(), "quarantine");
}

TEST_F(JudgeTest, RefusesARehearsalOnARealHostAndTheReverse) {
  Admit();
  exercise = true;
  EXPECT_EQ(Code(), "exercise");
  plan.header.set_exercise(true);
  EXPECT_EQ(Code(), "permitted");
  exercise = false;
  EXPECT_EQ(Code(), "exercise");
}

TEST_F(JudgeTest, RefusesEverythingWhileStopped) {
  Admit();
  auto* stop = records.emplace_back().mutable_stop_kept();
  stop->set_serial(1);
  stop->set_active(true);
  EXPECT_EQ(Code(), "stopped");
}

TEST_F(JudgeTest, ReadsWithoutAPlansSignatureOnlyWithASignedPlugin) {
  PlanMaker reading(people, v1::EFFECT_READ);
  Admit([](auto& own) { own.hold = "police copy of the disk"; });  // A hold does not forbid to look.
  EXPECT_EQ(CodeFor(reading.Authority()), "plugin_unsigned");
  plugin_signature = people.Sign("the plugin's bytes", "bob");
  const Verdict verdict = Ask(reading.Key(), reading.Authority());
  ASSERT_TRUE(std::holds_alternative<Permit>(verdict));
  EXPECT_TRUE(std::get<Permit>(verdict).plugin_signature_needed);
}

TEST_F(JudgeTest, TakesAPluginOnlyFromThoseWhoMaySignPlans) {
  people.Join("vera", {v1::ROLE_VIEWER});
  people.Revoke("carol");
  const std::vector<std::string> keys = PluginKeys(people.Keyring());
  EXPECT_THAT(keys, ::testing::UnorderedElementsAre(people.PublicKey("alice"), people.PublicKey("bob")));
}

TEST_F(JudgeTest, ReadsWithASignedPlanWhateverThePlugin) {
  PlanMaker reading(people, v1::EFFECT_READ);
  reading.signers = {"bob"};
  Admit();
  const Verdict verdict = Ask(reading.Key(), reading.Authority());
  ASSERT_TRUE(std::holds_alternative<Permit>(verdict));
  EXPECT_FALSE(std::get<Permit>(verdict).plugin_signature_needed);
}

// ---- history ----

class HistoryTest : public JudgeTest {
 protected:
  HistoryTest() {
    Admit();
    auto* kept = records.emplace_back().mutable_plan_kept();
    kept->set_plan_id(plan.header.plan_id());
    kept->set_run(7);
    kept->set_expires_ms(plan.header.expires_ms());
    *kept->mutable_authority() = plan.Authority();
  }
  void Attempt(uint32_t attempt, v1::Outcome outcome, bool intended = true, bool rollback = false, uint32_t step = 0) {
    *records.emplace_back().mutable_attempt_accepted()->mutable_key() = plan.Key(attempt, step, rollback);
    if (intended) *records.emplace_back().mutable_attempt_intended()->mutable_key() = plan.Key(attempt, step, rollback);
    if (outcome == v1::OUTCOME_UNSPECIFIED) return;
    auto* finished = records.emplace_back().mutable_attempt_finished()->mutable_finished();
    *finished->mutable_key() = plan.Key(attempt, step, rollback);
    finished->set_outcome(outcome);
    *records.emplace_back().mutable_attempt_acknowledged() = plan.Key(attempt, step, rollback);
  }
  std::string History(const agent::v1::TaskKey& key) {
    const auto memory = Memory::Fold(records);
    EXPECT_TRUE(memory.ok()) << memory.status();
    Permit permit;
    permit.attempts_max = 5;
    permit.undone_after = {1};
    return JudgeHistory(*memory, permit, key).code;
  }
};

TEST_F(HistoryTest, LetsAFirstAttemptAndThenAnotherAfterAFailure) {
  EXPECT_EQ(History(plan.Key(1)), "");
  Attempt(1, v1::OUTCOME_FAILED);
  EXPECT_EQ(History(plan.Key(2)), "");
}

TEST_F(HistoryTest, RefusesATaskThatSucceeded) {
  Attempt(1, v1::OUTCOME_UNCHANGED, false);
  EXPECT_EQ(History(plan.Key(2)), "replayed");
}

TEST_F(HistoryTest, RefusesAnAttemptNumberThatDoesNotGrow) {
  Attempt(3, v1::OUTCOME_FAILED);
  EXPECT_EQ(History(plan.Key(3)), "replayed");
  EXPECT_EQ(History(plan.Key(2)), "replayed");
  EXPECT_EQ(History(plan.Key(0)), "replayed");
}

TEST_F(HistoryTest, RefusesMoreAttemptsThanPeopleSigned) {
  EXPECT_EQ(History(plan.Key(6)), "replayed");
  for (uint32_t i = 1; i <= 5; ++i) Attempt(i, v1::OUTCOME_FAILED);
  EXPECT_EQ(History(plan.Key(6)), "replayed");
}

TEST_F(HistoryTest, RefusesThePlanForASecondRun) {
  auto key = plan.Key(1);
  key.set_run(8);
  EXPECT_EQ(History(key), "replayed");
}

TEST_F(HistoryTest, RefusesASecondAttemptBesideOneUnderWay) {
  Attempt(1, v1::OUTCOME_UNSPECIFIED);
  EXPECT_EQ(History(plan.Key(2)), "busy");
  EXPECT_EQ(History(plan.Key(1, 0, true)), "busy");
}

TEST_F(HistoryTest, RefusesToUndoWhatThisPlanDidNotDo) {
  EXPECT_EQ(History(plan.Key(1, 0, true)), "unknown_step");
  Attempt(1, v1::OUTCOME_UNCHANGED, false);  // It was so before: not ours to undo.
  EXPECT_EQ(History(plan.Key(2, 0, true)), "unknown_step");
}

TEST_F(HistoryTest, RefusesToUndoWhereNothingHasFailed) {
  Attempt(1, v1::OUTCOME_CHANGED);
  Attempt(1, v1::OUTCOME_CHANGED, true, false, 1);
  EXPECT_EQ(History(plan.Key(2, 0, true)), "unknown_step");
}

TEST_F(HistoryTest, LetsAStepBeUndoneOnceAndThenDoneAgain) {
  Attempt(1, v1::OUTCOME_CHANGED);
  EXPECT_EQ(History(plan.Key(2, 0, true)), "");
  Attempt(2, v1::OUTCOME_CHANGED, true, true);
  EXPECT_EQ(History(plan.Key(3, 0, true)), "unknown_step");
  EXPECT_EQ(History(plan.Key(3)), "");
}

}  // namespace
}  // namespace reprise::agents
