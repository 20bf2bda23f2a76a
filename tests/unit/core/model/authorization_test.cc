#include "core/model/authorization.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/core/model/site.h"

namespace reprise::model {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kHour;
using testing::kNoon;
using testing::PlanOfBob;
using testing::Site;

constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
constexpr auto kNotNow = absl::StatusCode::kFailedPrecondition;
constexpr auto kRefused = absl::StatusCode::kUnauthenticated;

class AuthorizationTest : public ::testing::Test {
 protected:
  AuthorizationTest() : keyring(site.Found()) {}

  absl::StatusOr<AuthorizedPlan> Check(const PlanOfBob& plan, const std::vector<std::string>& signers,
                                       UnixMs now = kNoon) {
    return CheckPlan(keyring, site.Sign(plan.Statement().Write(), signers), plan.header.SerializeAsString(), now);
  }
  plan::v1::SignedStatement Signed(const GateStatement& decision) {
    return site.Sign(decision.Write(), {decision.signer});
  }
  absl::StatusOr<GateVerdict> Gate(const PlanOfBob& plan, const std::vector<plan::v1::SignedStatement>& decisions,
                                   UnixMs now = kNoon, uint64_t run = 7) {
    return CheckGate(keyring, plan.Statement(), plan.gate, run, decisions, now);
  }
  void Revoke(const std::string& name) {
    site.Person(name).active = false;
    ASSERT_OK(keyring.Extend(site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"alice"})));
  }

  Site site;
  Keyring keyring;
};

using PlanTest = AuthorizationTest;
using LeafTest = AuthorizationTest;
using GateTest = AuthorizationTest;
using HostTest = AuthorizationTest;

TEST_F(PlanTest, NeedsASignatureToReadFarAhead) {
  PlanOfBob reading(v1::EFFECT_READ);
  reading.header.set_expires_ms(kNoon + kUnsignedAheadMax);
  EXPECT_OK(Check(reading, {}));
  EXPECT_THAT(Check(reading, {}, kNoon - 1), StatusIs(kDenied, HasSubstr("24 hours ahead")));
  EXPECT_OK(Check(reading, {"bob"}, kNoon - 1));
  reading.header.set_created_ms(kNoon + kUnsignedBornAheadMax + 1000);
  EXPECT_THAT(Check(reading, {}), StatusIs(kDenied, HasSubstr("both clocks")));
  EXPECT_OK(Check(reading, {"bob"}));
}

TEST_F(PlanTest, IsAuthorizedByOneForAChangeAndByTwoToDestroy) {
  ASSERT_OK_AND_ASSIGN(const AuthorizedPlan change, Check(PlanOfBob(), {"carol"}));
  EXPECT_THAT(change.signers, ElementsAre("carol"));
  EXPECT_EQ(change.header.plan_id(), "edr-campaign-30313233");
  EXPECT_THAT(Check(PlanOfBob(v1::EFFECT_DESTROY), {"carol"}), StatusIs(kDenied, HasSubstr("needs 2")));
  EXPECT_OK(Check(PlanOfBob(v1::EFFECT_DESTROY), {"carol", "bob"}));
  ASSERT_OK_AND_ASSIGN(const AuthorizedPlan read, Check(PlanOfBob(v1::EFFECT_READ), {}));
  EXPECT_THAT(read.signers, IsEmpty());
}

TEST_F(PlanTest, CountsOnePersonOnce) {
  EXPECT_THAT(Check(PlanOfBob(v1::EFFECT_DESTROY), {"carol", "carol"}),
              StatusIs(kDenied, HasSubstr("signed by: carol")));
}

TEST_F(PlanTest, DoesNotCountViewersStrangersAndRevokedKeys) {
  EXPECT_THAT(Check(PlanOfBob(), {}), StatusIs(kDenied, HasSubstr("signed by: nobody")));
  EXPECT_THAT(Check(PlanOfBob(), {"dave"}), StatusIs(kDenied, HasSubstr("signed by: nobody")));
  site.Add("mallory", {v1::ROLE_ADMIN});
  EXPECT_THAT(Check(PlanOfBob(), {"mallory"}), StatusIs(kDenied, HasSubstr("signed by: nobody")));
  site.operators.pop_back();
  Revoke("carol");
  EXPECT_THAT(Check(PlanOfBob(), {"carol"}), StatusIs(kDenied, HasSubstr("signed by: nobody")));
}

TEST_F(PlanTest, IsRefusedFromTheMomentItExpires) {
  EXPECT_OK(Check(PlanOfBob(), {"carol"}, kNoon + 24 * kHour - 1));
  EXPECT_THAT(Check(PlanOfBob(), {"carol"}, kNoon + 24 * kHour), StatusIs(kNotNow, HasSubstr("expired at")));
}

TEST_F(PlanTest, IsRefusedUnderAKeyringThatIsNotKnownHere) {
  PlanOfBob plan;
  plan.header.set_keyring_version(2);
  EXPECT_THAT(Check(plan, {"carol"}), StatusIs(kNotNow, HasSubstr("keyring version 2")));
}

TEST_F(PlanTest, RefusesTheHeaderOfAnotherPlan) {
  const PlanOfBob plan;
  PlanOfBob other;
  other.header.mutable_stages(0)->mutable_steps(0)->set_params_json(R"({"wipe":true})");
  const auto signed_plan = site.Sign(plan.Statement().Write(), {"carol"});
  EXPECT_THAT(CheckPlan(keyring, signed_plan, other.header.SerializeAsString(), kNoon),
              StatusIs(kRefused, HasSubstr("not the one whose hash")));
  EXPECT_THAT(CheckPlan(keyring, signed_plan, "", kNoon), StatusIs(kRefused, _));
}

// A hash of a header proves which one was meant, not that the text people read told the same story.
TEST_F(PlanTest, RefusesAStatementThatTellsAnotherStoryThanItsHeader) {
  const std::pair<const char*, std::function<void(PlanStatement&)>> cases[] = {
      {"plan id", [](PlanStatement& s) { s.plan_id = "other-30313233"; }},
      {"workflow", [](PlanStatement& s) { s.workflow = "facts-check"; }},
      {"requester", [](PlanStatement& s) { s.requester = "carol"; }},
      {"exercise", [](PlanStatement& s) { s.exercise = true; }},
      {"keyring version", [](PlanStatement& s) { s.keyring_version = 0; }},
      {"effect", [](PlanStatement& s) { s.effect = v1::EFFECT_READ; }},
      {"nonce", [](PlanStatement& s) { s.nonce = "fedcba9876543210"; }},
      {"creation", [](PlanStatement& s) { s.created -= 1000; }},
      {"expiry", [](PlanStatement& s) { s.expires += 1000; }},
  };
  const PlanOfBob plan;
  for (const auto& [field, change] : cases) {
    PlanStatement statement = plan.Statement();
    change(statement);
    EXPECT_THAT(
        CheckPlan(keyring, site.Sign(statement.Write(), {"carol", "alice"}), plan.header.SerializeAsString(), kNoon),
        StatusIs(kRefused, HasSubstr(field)))
        << field;
  }
}

TEST_F(PlanTest, RefusesAStepGraverThanWhatPeopleSigned) {
  PlanOfBob plan(v1::EFFECT_READ);
  plan.header.mutable_stages(0)->mutable_steps(0)->set_effect(v1::EFFECT_DESTROY);
  EXPECT_THAT(Check(plan, {}), StatusIs(kRefused, HasSubstr("step install of stage protect does destroy")));
}

TEST_F(PlanTest, RefusesASignatureOverOtherBytes) {
  const PlanOfBob plan;
  auto signed_plan = site.Sign(plan.Statement().Write(), {"carol"});
  PlanStatement later = plan.Statement();
  later.expires += kHour;
  signed_plan.set_statement(later.Write().Bytes());
  PlanOfBob longer;
  EXPECT_THAT(CheckPlan(keyring, signed_plan, plan.header.SerializeAsString(), kNoon), StatusIs(kRefused, _));
  signed_plan.set_statement("reprise-plan/v1\n");
  EXPECT_THAT(CheckPlan(keyring, signed_plan, "", kNoon), StatusIs(absl::StatusCode::kInvalidArgument, _));
}

TEST_F(LeafTest, IsForItsHostOnly) {
  const PlanOfBob plan;
  ASSERT_OK_AND_ASSIGN(const AuthorizedPlan authorized, Check(plan, {"carol"}));
  for (uint32_t i = 0; i < 3; ++i) {
    const std::string host = "ws-00" + std::to_string(i + 1);
    ASSERT_OK_AND_ASSIGN(const auto leaf, CheckLeaf(authorized, plan.Authority(i), host));
    EXPECT_EQ(leaf.host(), host);
    EXPECT_THAT(CheckLeaf(authorized, plan.Authority(i), "ws-009"), StatusIs(kNotNow, HasSubstr("not for ws-009")));
  }
}

TEST_F(LeafTest, StandsUnderTheRootThatPeopleSigned) {
  const PlanOfBob plan;
  ASSERT_OK_AND_ASSIGN(const AuthorizedPlan authorized, Check(plan, {"carol"}));
  plan::v1::HostLeaf forged;
  forged.set_host("ws-001");
  forged.set_nonce(plan.header.nonce());
  forged.set_zone(v1::ZONE_TRUST_CORE);
  auto authority = plan.Authority(0);
  authority.set_leaf(forged.SerializeAsString());
  EXPECT_THAT(CheckLeaf(authorized, authority, "ws-001"), StatusIs(kRefused, HasSubstr("Merkle")));

  authority = plan.Authority(0);
  authority.set_leaf_count(4);
  EXPECT_THAT(CheckLeaf(authorized, authority, "ws-001"), StatusIs(kRefused, HasSubstr("3 hosts")));

  PlanOfBob other;
  other.leaves.push_back(other.leaves.front());
  EXPECT_THAT(CheckLeaf(authorized, other.Authority(0), "ws-001"), StatusIs(kRefused, _));
}

TEST_F(LeafTest, OfAnotherPlanIsRefusedEvenUnderThisRoot) {
  PlanOfBob plan;
  plan::v1::HostLeaf leaf;
  leaf.set_host("ws-001");
  leaf.set_nonce("another plan's n");
  plan.leaves[0] = leaf.SerializeAsString();
  ASSERT_OK_AND_ASSIGN(const AuthorizedPlan authorized, Check(plan, {"carol"}));
  EXPECT_THAT(CheckLeaf(authorized, plan.Authority(0), "ws-001"), StatusIs(kRefused, HasSubstr("nonce")));
}

TEST_F(GateTest, OpensWithAQuorumOfDistinctApprovers) {
  const PlanOfBob plan;
  EXPECT_THAT(Gate(plan, {}), StatusIs(kDenied, HasSubstr("wants 2 more of 2")));
  EXPECT_THAT(Gate(plan, {Signed(plan.Decision("carol"))}), StatusIs(kDenied, HasSubstr("wants 1 more of 2")));
  ASSERT_OK_AND_ASSIGN(const GateVerdict verdict,
                       Gate(plan, {Signed(plan.Decision("carol")), Signed(plan.Decision("alice"))}));
  EXPECT_EQ(verdict.state, v1::GATE_STATE_PASSED);
  EXPECT_THAT(verdict.signers, ElementsAre("carol", "alice"));
}

TEST_F(GateTest, CountsOnePersonOnceHoweverOftenHeSigns) {
  const PlanOfBob plan;
  GateStatement again = plan.Decision("carol");
  again.issued += 1000;
  EXPECT_THAT(Gate(plan, {Signed(plan.Decision("carol")), Signed(plan.Decision("carol")), Signed(again)}),
              StatusIs(kDenied, HasSubstr("wants 1 more of 2")));
}

TEST_F(GateTest, NeverCountsTheRequester) {
  const PlanOfBob plan;
  EXPECT_THAT(Gate(plan, {Signed(plan.Decision("carol")), Signed(plan.Decision("bob"))}),
              StatusIs(kDenied, HasSubstr("bob asked for this plan")));
  PlanOfBob of_alice;
  of_alice.header.set_requester("alice");
  EXPECT_THAT(Gate(of_alice, {Signed(of_alice.Waiver("alice"))}), StatusIs(kDenied, HasSubstr("alice asked")))
      << "a waiver of one's own would be a way round";
}

TEST_F(GateTest, NeedsTheRoleOfAnApproverAndTheNameOnItsList) {
  PlanOfBob plan;
  plan.gate.set_quorum(1);
  EXPECT_THAT(Gate(plan, {Signed(plan.Decision("erin"))}), StatusIs(kDenied, HasSubstr("takes an approver")));
  EXPECT_THAT(Gate(plan, {Signed(plan.Decision("dave"))}), StatusIs(kDenied, HasSubstr("takes an approver")));
  plan.gate.add_approvers("alice");
  EXPECT_THAT(Gate(plan, {Signed(plan.Decision("carol"))}), StatusIs(kDenied, HasSubstr("not one of the gate's")));
  EXPECT_OK(Gate(plan, {Signed(plan.Decision("alice"))}));
}

TEST_F(GateTest, WithoutAQuorumStillNeedsSomebody) {
  PlanOfBob plan;
  plan.gate.set_quorum(0);
  EXPECT_THAT(Gate(plan, {}), StatusIs(kDenied, HasSubstr("wants 1 more of 1")));
}

TEST_F(GateTest, IsWaivedByAnAdminUntilTheWaiverExpires) {
  const PlanOfBob plan;
  ASSERT_OK_AND_ASSIGN(const GateVerdict verdict, Gate(plan, {Signed(plan.Waiver("erin"))}));
  EXPECT_EQ(verdict.state, v1::GATE_STATE_WAIVED);
  EXPECT_THAT(verdict.signers, ElementsAre("erin"));
  EXPECT_THAT(Gate(plan, {Signed(plan.Waiver("erin"))}, kNoon + kHour), StatusIs(kDenied, HasSubstr("expired at")));
  EXPECT_THAT(Gate(plan, {Signed(plan.Waiver("carol"))}), StatusIs(kDenied, HasSubstr("takes an admin")));
}

TEST_F(GateTest, TakesNoDecisionMadeForAnother) {
  PlanOfBob plan;
  plan.gate.set_quorum(1);
  GateStatement decision = plan.Decision("carol");
  EXPECT_OK(Gate(plan, {Signed(decision)}));
  EXPECT_THAT(Gate(plan, {Signed(decision)}, kNoon, 8), StatusIs(kDenied, HasSubstr("of run 7")));
  decision.gate = "before-protect";
  EXPECT_THAT(Gate(plan, {Signed(decision)}), StatusIs(kDenied, HasSubstr("gate before-protect")));
  decision = plan.Decision("carol");
  decision.merkle_root = std::string(32, 'x');
  EXPECT_THAT(Gate(plan, {Signed(decision)}), StatusIs(kDenied, HasSubstr("other content")));
  decision = plan.Decision("carol");
  decision.plan_id = "other-00000000";
  EXPECT_THAT(Gate(plan, {Signed(decision)}), StatusIs(kDenied, HasSubstr("plan other-00000000")));
}

TEST_F(GateTest, IsDecidedByWhoSignsNotByWhoIsNamed) {
  PlanOfBob plan;
  plan.gate.set_quorum(1);
  const auto by_bob = site.Sign(plan.Decision("carol").Write(), {"bob"});
  EXPECT_THAT(CheckGateDecision(keyring, plan.Statement(), plan.gate, 7, by_bob, kNoon),
              StatusIs(kDenied, HasSubstr("says that carol signs; signed by active keys: bob")));
  Revoke("carol");
  EXPECT_THAT(CheckGateDecision(keyring, plan.Statement(), plan.gate, 7, Signed(plan.Decision("carol")), kNoon),
              StatusIs(kDenied, HasSubstr("active keys: nobody")));
}

TEST_F(GateTest, IsNotBlockedByABadDecisionBesideGoodOnes) {
  PlanOfBob plan;
  plan.gate.set_quorum(1);
  plan::v1::SignedStatement garbage;
  garbage.set_statement("hello");
  auto forged = Signed(plan.Decision("alice"));
  forged.mutable_signatures(0)->set_minisig("hello");
  EXPECT_OK(Gate(plan, {garbage, forged, Signed(plan.Decision("carol"))}));
}

TEST_F(HostTest, IsAdmittedByAnAdminOnly) {
  HostStatement host;
  host.host = "ws-001";
  host.serial = 1;
  host.zone = v1::ZONE_DIRTY;
  host.asset_class = v1::ASSET_CLASS_WORKSTATION;
  host.trust = v1::TRUST_STATE_UNKNOWN;
  host.issued = kNoon;
  EXPECT_OK(CheckHostStatement(keyring, site.Sign(host.Write(), {"erin"})));
  EXPECT_OK(CheckHostStatement(keyring, site.Sign(host.Write(), {"bob", "alice"})));
  EXPECT_THAT(CheckHostStatement(keyring, site.Sign(host.Write(), {"bob", "carol"})),
              StatusIs(kDenied, HasSubstr("signed by: bob, carol")));
  EXPECT_THAT(CheckHostStatement(keyring, site.Sign(host.Write(), {})), StatusIs(kDenied, HasSubstr("nobody")));
  Revoke("erin");
  EXPECT_THAT(CheckHostStatement(keyring, site.Sign(host.Write(), {"erin"})), StatusIs(kDenied, HasSubstr("nobody")));
}

TEST(GatesBeforeTest, AreTheStagesOwnAndThoseOfItsWavesUpToThisOne) {
  plan::v1::Stage stage;
  EXPECT_THAT(GatesBefore(stage, 5), IsEmpty());
  stage.mutable_gate()->set_name("stage");
  stage.add_waves();
  stage.add_waves()->mutable_gate()->set_name("one");
  stage.add_waves()->mutable_gate()->set_name("two");
  const auto names = [&](uint32_t wave) {
    std::vector<std::string> found;
    for (const auto* gate : GatesBefore(stage, wave)) found.push_back(gate->name());
    return found;
  };
  EXPECT_THAT(names(0), ElementsAre("stage"));
  EXPECT_THAT(names(1), ElementsAre("stage", "one"));
  EXPECT_THAT(names(2), ElementsAre("stage", "one", "two"));
  EXPECT_THAT(names(99), ElementsAre("stage", "one", "two"));
}

}  // namespace
}  // namespace reprise::model
