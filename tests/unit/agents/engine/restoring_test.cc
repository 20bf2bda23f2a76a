// What the agent lets be restored, and from which copy.
#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "tests/unit/agents/engine/judge_case.h"

namespace reprise::agents {
namespace {

using namespace testing;  // NOLINT: the fixture's words

class RestoreTest : public JudgeTest {
 protected:
  RestoreTest() {
    Admit();
    point = plan.header.mutable_stages(0)->mutable_steps(0)->mutable_recovery_point();
    point->set_set("planning");
    point->set_point("d1");
    point->set_judged_by("srv-backup-1");
    point->set_verdict(v1::BACKUP_VERDICT_INTACT);
    point->set_manifest_sha256(crypto::Sha256("d1"));
    point->set_taken_ms(kNoon - 48 * kHour);
    point->set_compromised_ms(kNoon - 24 * kHour);
    Tell(crypto::Sha256("d1"));
  }
  void Tell(const std::string& manifest) {
    plan.header.mutable_stages(0)->mutable_steps(0)->set_params_json(
        absl::StrCat("{\"manifest_sha256\":\"", ToHex(manifest), "\"}"));
  }
  void Concede(const std::string& who) {
    auto& concession = *point->mutable_concession();
    concession.set_name("payroll");
    concession.add_allows(v1::ALLOWANCE_SAMPLED);
    concession.set_decided_by(who);
    concession.set_expires_ms(now + kHour);
  }
  plan::v1::RecoveryPoint* point = nullptr;
};

TEST_F(RestoreTest, PermitsACopyThatWasProvenGood) {
  const Verdict verdict = Ask(plan.Key(), plan.Authority());
  ASSERT_TRUE(std::holds_alternative<Permit>(verdict)) << std::get<Refusal>(verdict).reason;
  EXPECT_TRUE(std::get<Permit>(verdict).restores);
}

TEST_F(RestoreTest, RefusesEveryOtherVerdictWhateverPeopleSigned) {
  for (const auto verdict : {v1::BACKUP_VERDICT_ENCRYPTED_TOTAL, v1::BACKUP_VERDICT_PARTIAL, v1::BACKUP_VERDICT_CORRUPT,
                             v1::BACKUP_VERDICT_NOT_EVALUATED, v1::BACKUP_VERDICT_UNSPECIFIED}) {
    point->set_verdict(verdict);
    EXPECT_EQ(Code(), "verdict");
  }
}

TEST_F(RestoreTest, RefusesOtherBytesThanThoseThatWereJudged) {
  Tell(crypto::Sha256("d2"));
  EXPECT_EQ(Code(), "verdict");
  plan.header.mutable_stages(0)->mutable_steps(0)->set_params_json("{}");
  EXPECT_EQ(Code(), "verdict");
}

TEST_F(RestoreTest, RefusesTheHostsOwnParametersThatNameOtherBytes) {
  auto* own = plan.leaves[0].mutable_placements(0)->add_overrides();
  own->set_step(0);
  own->set_params_json(absl::StrCat("{\"manifest_sha256\":\"", ToHex(crypto::Sha256("d2")), "\"}"));
  EXPECT_EQ(Code(), "verdict");
}

TEST_F(RestoreTest, RefusesAConcessionWhoseDeciderHasNotSigned) {
  point->set_verdict(v1::BACKUP_VERDICT_INTACT_SAMPLED);
  EXPECT_EQ(Code(), "verdict");
  Concede("carol");
  EXPECT_EQ(Code(), "verdict") << "alice alone signed";
  plan.signers = {"alice", "carol"};
  EXPECT_EQ(Code(), "permitted");
  point->mutable_concession()->set_expires_ms(now);
  EXPECT_EQ(Code(), "verdict");
}

TEST_F(RestoreTest, RefusesACopyYoungerThanTheCompromise) {
  point->set_taken_ms(point->compromised_ms() + 1);
  EXPECT_EQ(Code(), "verdict");
  point->set_trust(v1::POINT_TRUST_BEFORE_COMPROMISE);
  EXPECT_EQ(Code(), "verdict") << "the dates count, not the word";
}

TEST_F(RestoreTest, DoesNotAskWhenWhatWasRestoredIsUndone) {
  plan.AddUndoingStep();
  point->set_verdict(v1::BACKUP_VERDICT_CORRUPT);
  EXPECT_EQ(CodeFor(plan.Key(2, 0, true), plan.Authority()), "permitted");
}

}  // namespace
}  // namespace reprise::agents
