#include "core/model/restoring.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/core/model/site.h"

namespace reprise::model {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kHour;
using testing::kNoon;

constexpr UnixMs kDay = 24 * kHour;

// A copy that was proven good and is older than the intruder, until a test says otherwise.
class Restoring : public ::testing::Test {
 protected:
  Restoring() {
    point.set_set("agiletime-db");
    point.set_point("dump-0812");
    point.set_manifest_sha256(crypto::Sha256("the manifest"));
    point.set_verdict(v1::BACKUP_VERDICT_INTACT);
    point.set_taken_ms(kNoon - 10 * kDay);
    point.set_compromised_ms(kNoon - 8 * kDay);
  }
  plan::v1::Concession& Concede(v1::Allowance allowance) {
    plan::v1::Concession& concession = *point.mutable_concession();
    concession.set_name("payroll");
    concession.add_allows(allowance);
    concession.set_decided_by("carol");
    concession.set_expires_ms(kNoon + kHour);
    return concession;
  }
  absl::Status Check(const std::vector<std::string>& signers = {"alice", "carol"}) {
    return CheckRestore(keyring, point, "bob", signers, kNoon);
  }

  testing::Site site;
  Keyring keyring = site.Found();
  plan::v1::RecoveryPoint point;
};

TEST_F(Restoring, NeedsNothingWhereTheCopyIsIntactAndOlderThanTheIntruder) {
  EXPECT_OK(Check({"alice"}));
  EXPECT_THAT(NeededAllowances(point), IsEmpty());
}

TEST_F(Restoring, NeverFollowsAVerdictThatIsNotSoundWhateverWasConceded) {
  Concede(v1::ALLOWANCE_SAMPLED).add_allows(v1::ALLOWANCE_AFTER_COMPROMISE);
  for (const std::string& word : NamesOf<v1::BackupVerdict>()) {
    point.set_verdict(*FromName<v1::BackupVerdict>(word));
    if (MayEverServe(point.verdict())) continue;
    EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(WordOf(point.verdict())))) << word;
  }
  point.set_verdict(v1::BACKUP_VERDICT_UNSPECIFIED);
  EXPECT_FALSE(Check().ok());
}

TEST_F(Restoring, TakesASampledCopyOnlyByAConcessionThatItsDeciderSigned) {
  point.set_verdict(v1::BACKUP_VERDICT_INTACT_SAMPLED);
  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("a concession that allows sampled")));
  Concede(v1::ALLOWANCE_SAMPLED);
  EXPECT_OK(Check());
  EXPECT_THAT(Check({"alice"}), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("carol, who has not signed")));
}

TEST_F(Restoring, HoldsAConcessionToWhatItSays) {
  point.set_verdict(v1::BACKUP_VERDICT_INTACT_SAMPLED);
  point.set_taken_ms(kNoon - kDay);
  EXPECT_THAT(NeededAllowances(point), ElementsAre(v1::ALLOWANCE_SAMPLED, v1::ALLOWANCE_AFTER_COMPROMISE));
  Concede(v1::ALLOWANCE_SAMPLED);
  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("after the first compromise")));
  point.mutable_concession()->add_allows(v1::ALLOWANCE_AFTER_COMPROMISE);
  EXPECT_OK(Check());
}

TEST_F(Restoring, DoesNotTakeForOldWhatNobodyKnowsTheAgeOf) {
  for (const bool dated : {false, true}) {
    point.set_taken_ms(dated ? kNoon - 10 * kDay : 0);
    point.set_compromised_ms(dated ? 0 : kNoon - 8 * kDay);
    EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("nobody knows")));
  }
  Concede(v1::ALLOWANCE_UNKNOWN_TRUST);
  EXPECT_OK(Check());
}

TEST_F(Restoring, WorksTheTrustOutFromTheDatesWhateverThePlanSaysOfIt) {
  point.set_trust(v1::POINT_TRUST_BEFORE_COMPROMISE);
  point.set_taken_ms(kNoon);
  EXPECT_FALSE(Check().ok());
  point.set_taken_ms(point.compromised_ms());
  EXPECT_FALSE(Check().ok()) << "of the very moment is not before it";
}

TEST_F(Restoring, EndsAConcessionWithItsTime) {
  point.set_verdict(v1::BACKUP_VERDICT_INTACT_SAMPLED);
  Concede(v1::ALLOWANCE_SAMPLED).set_expires_ms(kNoon);
  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("expired")));
}

TEST_F(Restoring, LetsNobodyConcedeToHimselfNorWithoutTheRole) {
  point.set_verdict(v1::BACKUP_VERDICT_INTACT_SAMPLED);
  Concede(v1::ALLOWANCE_SAMPLED).set_decided_by("bob");
  EXPECT_THAT(Check({"bob"}), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("who asked for the plan")));
  for (const char* who : {"dave", "nobody", ""}) {
    point.mutable_concession()->set_decided_by(who);
    EXPECT_THAT(Check({who}), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("no active approver"))) << who;
  }
}

TEST_F(Restoring, AsksForTheManifestThatTellsTheBytes) {
  point.clear_manifest_sha256();
  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no manifest")));
}

TEST(CopyName, IsAPlainFilesName) {
  for (const char* good : {"dump-0812", "2022-08-12_01.dump", "A"}) EXPECT_TRUE(IsCopyName(good)) << good;
  for (const char* bad : {"", ".hidden", "-rf", "a/b", "a b", "é", "a\n"}) EXPECT_FALSE(IsCopyName(bad)) << bad;
  EXPECT_FALSE(IsCopyName(std::string(129, 'a')));
}

}  // namespace
}  // namespace reprise::model
