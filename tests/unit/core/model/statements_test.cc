#include "core/model/statements.h"

#include <vector>

#include "absl/strings/str_replace.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/model/site.h"

namespace reprise::model {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::HasSubstr;
using testing::kHour;
using testing::kNoon;
using testing::PlanOfBob;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

HostStatement Host() {
  HostStatement host;
  host.host = "ws-001";
  host.serial = 3;
  host.zone = v1::ZONE_DIRTY;
  host.asset_class = v1::ASSET_CLASS_WORKSTATION;
  host.trust = v1::TRUST_STATE_UNKNOWN;
  host.hold = "complaint 2026/114";
  host.issued = kNoon;
  return host;
}

std::string With(const std::string& bytes, const std::string& from, const std::string& to) {
  const std::string changed = absl::StrReplaceAll(bytes, {{from, to}});
  EXPECT_NE(changed, bytes) << from << " does not stand in\n" << bytes;
  return changed;
}

TEST(PlanStatementTest, ReadsBackWhatItWrites) {
  PlanStatement plan = PlanOfBob().Statement();
  plan.exercise = true;
  const std::string bytes = plan.Write().Bytes();
  ASSERT_OK_AND_ASSIGN(const PlanStatement back, PlanStatement::Read(bytes));
  EXPECT_EQ(back.Write().Bytes(), bytes);
  EXPECT_EQ(back.requester, "bob");
  EXPECT_EQ(back.effect, v1::EFFECT_CHANGE);
  EXPECT_TRUE(back.exercise);
  EXPECT_EQ(back.hosts, 3u);
  EXPECT_EQ(back.expires, kNoon + 24 * kHour);
  EXPECT_EQ(back.merkle_root, plan.merkle_root);
}

TEST(PlanStatementTest, IsReadableByAPerson) {
  EXPECT_THAT(PlanOfBob().Statement().Write().Bytes(),
              ::testing::StartsWith("reprise-plan/v1\nplan: edr-campaign-30313233\nworkflow: edr-campaign\n"
                                    "requester: bob\nkeyring-version: 1\neffect: change\nexercise: no\nhosts: 3\n"
                                    "created: 2026-09-21T14:13:20Z\nexpires: 2026-09-22T14:13:20Z\nnonce: "));
}

TEST(PlanStatementTest, HasOneTextForOneMeaning) {
  const std::string good = PlanOfBob().Statement().Write().Bytes();
  const std::vector<std::pair<std::string, const char*>> cases = {
      {With(good, "reprise-plan/v1", "reprise-plan/v2"), "kind reprise-plan/v2"},
      {With(good, "reprise-plan/v1", "reprise-gate/v1"), "kind reprise-gate/v1"},
      {With(good, "hosts: 3\n", ""), "\"hosts\" is missing"},
      {With(good, "hosts: 3\n", "hosts: 3\nhosts: 3\n"), "more than once"},
      {With(good, "hosts: 3\n", "hosts: 3\nhosts: 300\n"), "more than once"},
      {With(good, "hosts: 3", "hosts: 03"), "one exact form"},
      {With(good, "hosts: 3", "hosts: +3"), "expected a number"},
      {With(good, "hosts: 3", "hosts: -3"), "expected a number"},
      {With(good, "hosts: 3", "hosts: 4294967296"), "expected a number"},
      {With(good, "hosts: 3", "hosts: 3 "), "spaces around"},
      {With(good, "hosts: 3", "hosts:"), "expected a value"},
      {With(good, "effect: change", "effect: Change"), "word of the vocabulary"},
      {With(good, "effect: change", "effect: unspecified"), "word of the vocabulary"},
      {With(good, "exercise: no", "exercise: false"), "yes or no"},
      {With(good, "2026-09-22T14:13:20Z", "2026-09-22T14:13:20.5Z"), "a time like"},
      {With(good, "2026-09-22T14:13:20Z", "2026-09-22T14:13:60Z"), "exact form"},
      {With(good, "2026-09-22T14:13:20Z", "infinite-future"), "a time like"},
      {With(good, "nonce: 3031", "nonce: 303"), "32 hex digits"},
      {With(good, "nonce: 3031", "nonce: "), "32 hex digits"},
      {With(good, "requester: bob", "requester: Bob B."), "a name of"},
      {good + "note: harmless\n", "does not belong here"},
      {With(good, "workflow: edr-campaign\nrequester: bob\n", "requester: bob\nworkflow: edr-campaign\n"), "line 3"},
  };
  for (const auto& [bytes, message] : cases) {
    EXPECT_THAT(PlanStatement::Read(bytes), StatusIs(kInvalid, HasSubstr(message))) << bytes;
  }
}

TEST(GateStatementTest, ReadsBackApprovalsAndWaivers) {
  const GateStatement approval = PlanOfBob().Decision("carol");
  ASSERT_OK_AND_ASSIGN(const GateStatement approval_back, GateStatement::Read(approval.Write().Bytes()));
  EXPECT_FALSE(approval_back.waive);
  EXPECT_EQ(approval_back.reason, "");
  EXPECT_EQ(approval_back.expires, 0);
  EXPECT_EQ(approval_back.run, 7u);

  const GateStatement waiver = PlanOfBob().Waiver("alice");
  ASSERT_OK_AND_ASSIGN(const GateStatement waiver_back, GateStatement::Read(waiver.Write().Bytes()));
  EXPECT_TRUE(waiver_back.waive);
  EXPECT_EQ(waiver_back.reason, waiver.reason);
  EXPECT_EQ(waiver_back.expires, kNoon + kHour);
}

TEST(GateStatementTest, NeedsAReasonAndAnExpiryToWaive) {
  GateStatement waiver = PlanOfBob().Waiver("alice");
  waiver.reason = " \n ";
  EXPECT_FALSE(GateStatement::Read(waiver.Write().Bytes()).ok());
  waiver.reason = "";
  EXPECT_THAT(GateStatement::Read(waiver.Write().Bytes()), StatusIs(kInvalid, HasSubstr("needs a reason")));
  waiver = PlanOfBob().Waiver("alice");
  waiver.expires = 0;
  EXPECT_THAT(GateStatement::Read(waiver.Write().Bytes()), StatusIs(kInvalid, HasSubstr("expires")));
}

TEST(GateStatementTest, KeepsAReasonFromBecomingAnotherDecision) {
  GateStatement approval = PlanOfBob().Decision("carol");
  approval.reason = "fine\ndecision: waive\nexpires: 2030-01-01T00:00:00Z";
  ASSERT_OK_AND_ASSIGN(const GateStatement back, GateStatement::Read(approval.Write().Bytes()));
  EXPECT_FALSE(back.waive);
  EXPECT_EQ(back.expires, 0);
}

TEST(HostStatementTest, ReadsBackWhatItWritesWithAndWithoutAHold) {
  HostStatement host = Host();
  ASSERT_OK_AND_ASSIGN(HostStatement back, HostStatement::Read(host.Write().Bytes()));
  EXPECT_EQ(back.hold, host.hold);
  EXPECT_EQ(back.serial, 3u);
  EXPECT_EQ(back.asset_class, v1::ASSET_CLASS_WORKSTATION);
  host.hold = "";
  ASSERT_OK_AND_ASSIGN(back, HostStatement::Read(host.Write().Bytes()));
  EXPECT_EQ(back.hold, "");
}

TEST(HostStatementTest, RefusesWhatNoHostCanBe) {
  const std::string good = Host().Write().Bytes();
  const std::vector<std::pair<std::string, const char*>> cases = {
      {With(good, "host: ws-001", "host: ../ws"), "a name of"},
      {With(good, "serial: 3", "serial: 0"), "from 1"},
      {With(good, "serial: 3", "serial: 18446744073709551616"), "a number"},
      {With(good, "zone: dirty", "zone: clean"), "word of the vocabulary"},
      {With(good, "hold: complaint 2026/114", "hold:"), "a value"},
      {With(good, "zone: dirty\n", "zone: dirty\nzone: admin\n"), "more than once"},
  };
  for (const auto& [bytes, message] : cases) {
    EXPECT_THAT(HostStatement::Read(bytes), StatusIs(kInvalid, HasSubstr(message))) << bytes;
  }
}

TEST(Statements, OfOneKindNeverReadAsAnother) {
  const std::string plan = PlanOfBob().Statement().Write().Bytes();
  const std::string gate = PlanOfBob().Decision("carol").Write().Bytes();
  const std::string host = Host().Write().Bytes();
  EXPECT_THAT(GateStatement::Read(plan), StatusIs(kInvalid, HasSubstr("kind reprise-plan/v1")));
  EXPECT_THAT(HostStatement::Read(gate), StatusIs(kInvalid, HasSubstr("kind reprise-gate/v1")));
  EXPECT_THAT(PlanStatement::Read(host), StatusIs(kInvalid, HasSubstr("kind reprise-host/v1")));
}

}  // namespace
}  // namespace reprise::model
