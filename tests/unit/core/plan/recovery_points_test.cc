#include "core/plan/recovery_points.h"

#include "core/base/text.h"
#include "core/plan/explain.h"
#include "tests/unit/core/plan/documents.h"

namespace reprise::plan {
namespace {

using testing::Documents;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kHour;
using testing::kNoon;
using testing::OneStage;

namespace mv1 = ::reprise::model::v1;

constexpr char kBackups[] = R"(---
apiVersion: reprise/v1
kind: Backups
metadata: {name: b}
compromise: {first: 2026-09-20T00:00:00Z}
sets:
  - {name: planning, reader: srv-1}
concessions:
  - {name: payroll, set: planning, point: d2, allows: sampled, decided_by: carol, reason: due on Friday,
     compensating: totals compared, expires: 2026-10-01T00:00:00Z}
)";

constexpr UnixMs kDay = 24 * kHour;

std::string Restore(const std::string& copy, const std::string& with = "{version: 4.2.1}") {
  return OneStage("      - {name: data, uses: edr.restore, restores: " + copy + ", with: " + with + "}\n");
}

class Restores : public ::testing::Test {
 protected:
  std::optional<CompiledPlan> Compile(const std::string& text) {
    documents.emplace(text + kBackups);
    ActionSpec restore = *documents->catalog.plugins[0].Find("install");
    restore.name = "restore";
    restore.restores = true;
    restore.params_schema["properties"]["manifest_sha256"] = {{"type", "string"}};
    restore.params_schema["required"].push_back("manifest_sha256");
    documents->catalog.plugins[0].actions.push_back(restore);
    return documents->Compile([&](CompileRequest& request) { request.points = points; });
  }
  void Judged(const std::string& point, mv1::BackupVerdict verdict, UnixMs taken, const std::string& by = "srv-1") {
    KnownPoint& known = points.emplace_back();
    known.verdict.set_set("planning");
    known.verdict.set_point(point);
    known.verdict.set_verdict(verdict);
    known.verdict.set_taken_ms(taken);
    known.verdict.set_manifest_sha256(crypto::Sha256(point));
    known.judged_by = by;
    known.judged = kNoon;
  }
  std::string Found() const {
    std::string all;
    for (const Finding& finding : documents->diagnostics.Findings()) {
      absl::StrAppend(&all, testing::LineOf(finding), " = hint ", finding.hint, "\n");
    }
    return all;
  }

  std::optional<Documents> documents;
  std::vector<KnownPoint> points;
  const UnixMs before = kNoon - 10 * kDay;  // 2026-09-21 is noon of the tests.
};

TEST_F(Restores, PutsTheJudgedCopyIntoThePlanAndItsManifestIntoTheParameters) {
  Judged("d1", mv1::BACKUP_VERDICT_INTACT, before);
  const auto plan = Compile(Restore("planning/d1"));
  ASSERT_TRUE(plan) << Found();
  const v1::Step& step = plan->header.stages(0).steps(0);
  EXPECT_EQ(step.recovery_point().point(), "d1");
  EXPECT_EQ(step.recovery_point().judged_by(), "srv-1");
  EXPECT_EQ(step.recovery_point().trust(), mv1::POINT_TRUST_BEFORE_COMPROMISE);
  EXPECT_EQ(Json::parse(step.params_json()).at("manifest_sha256"), ToHex(crypto::Sha256("d1")));
  ASSERT_OK_AND_ASSIGN(const std::string told, ExplainPlan(plan->bundle, 0));
  EXPECT_THAT(told, HasSubstr("restores planning/d1: INTACT by srv-1"));
}

TEST_F(Restores, RefusesTheEncryptedCopyAndNamesTheSoundOne) {
  Judged("d1", mv1::BACKUP_VERDICT_INTACT, before - kDay);
  Judged("d0", mv1::BACKUP_VERDICT_INTACT, before - 2 * kDay);
  Judged("d3", mv1::BACKUP_VERDICT_ENCRYPTED_TOTAL, before);
  EXPECT_FALSE(Compile(Restore("planning/d3")));
  EXPECT_THAT(Found(), HasSubstr("ENCRYPTED_TOTAL"));
  EXPECT_THAT(Found(), HasSubstr("the newest that is proven sound: planning/d1"));
}

TEST_F(Restores, BelievesNobodyButTheReaderOfTheSet) {
  Judged("d1", mv1::BACKUP_VERDICT_INTACT, before, "ws-01");
  EXPECT_FALSE(Compile(Restore("planning/d1")));
  EXPECT_THAT(Found(), HasSubstr("never judged by srv-1"));
}

TEST_F(Restores, AsksForAConcessionWhereTheCopyComesShort) {
  Judged("d2", mv1::BACKUP_VERDICT_INTACT_SAMPLED, before);
  Judged("d4", mv1::BACKUP_VERDICT_INTACT_SAMPLED, before);
  const auto plan = Compile(Restore("planning/d2"));
  ASSERT_TRUE(plan) << Found();
  EXPECT_EQ(plan->header.stages(0).steps(0).recovery_point().concession().decided_by(), "carol");
  ASSERT_OK_AND_ASSIGN(const std::string told, ExplainPlan(plan->bundle, 0));
  EXPECT_THAT(told, HasSubstr("CONCESSION payroll (sampled) decided by carol, who must sign"));
  EXPECT_FALSE(Compile(Restore("planning/d4")));
  EXPECT_THAT(Found(), HasSubstr("a concession that allows sampled"));
}

TEST_F(Restores, SaysWhatIsWrongWithTheStep) {
  Judged("d1", mv1::BACKUP_VERDICT_INTACT, before);
  EXPECT_FALSE(Compile(Restore("planing/d1")));
  EXPECT_THAT(Found(), HasSubstr("there is no backup set \"planing\" = expected planning = nearest planning"));
  EXPECT_FALSE(Compile(Restore("planning")));
  EXPECT_THAT(Found(), HasSubstr("expected SET/POINT"));
  EXPECT_FALSE(Compile(Restore("planning/d1", "{version: 4.2.1, manifest_sha256: x}")));
  EXPECT_THAT(Found(), HasSubstr("says manifest_sha256 = expected nothing"));
  EXPECT_FALSE(Compile(OneStage("      - {name: data, uses: edr.restore, with: {version: 4.2.1}}\n")));
  EXPECT_THAT(Found(), HasSubstr("does not say from which copy"));
  EXPECT_FALSE(Compile(OneStage("      - {name: x, uses: edr.install, restores: planning/d1, with: {version: 4.2.1}}\n")));
  EXPECT_THAT(Found(), HasSubstr("restores nothing, and the step names a copy"));
}

TEST(Requires, NamesAHostOfTheInventoryAndAClaim) {
  Documents good(OneStage("      - {name: s, uses: edr.status}\n",
                          "    requires: [{claim: bubble.closed, host: srv-1}, {claim: a.b, host: srv-2, within: 2h}]\n"));
  const auto plan = good.Compile();
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->header.stages(0).requirements_size(), 2);
  EXPECT_EQ(plan->header.stages(0).requirements(0).within_ms(), 15 * 60 * 1000);
  EXPECT_EQ(plan->header.stages(0).requirements(1).within_ms(), 2 * kHour);
  Documents bad(OneStage("      - {name: s, uses: edr.status}\n", "    requires: [{claim: closed, host: srv-9}]\n"));
  EXPECT_FALSE(bad.diagnostics.ok() && bad.Compile());
  EXPECT_THAT(bad.Found(), Contains(HasSubstr("the claim is \"closed\"")));
}

TEST(BackupsDocument, TellsEverySlipWithItsPlace) {
  Documents documents(
      "apiVersion: reprise/v1\nkind: Backups\nmetadata: {name: x}\ncompromise: {first: yesterday}\n"
      "sets:\n  - {name: a}\n  - {name: b, reader: srv-1}\n  - {name: b, reader: srv-1}\n"
      "concessions:\n  - {name: c, set: b, point: a/b, allows: everything, decided_by: carol, reason: r, compensating: c, "
      "expires: 2026-10-01T00:00:00Z}\n");
  EXPECT_THAT(documents.Found(), Contains(HasSubstr("4:21 first is \"yesterday\" = expected a time such as")));
  EXPECT_THAT(documents.Found(), Contains(HasSubstr("declared a second time")));
  EXPECT_THAT(documents.Found(), Contains(HasSubstr("the point is called \"a/b\"")));
  EXPECT_THAT(documents.Found(), Contains(HasSubstr("allows is \"everything\" = expected one of sampled")));
}

}  // namespace
}  // namespace reprise::plan
