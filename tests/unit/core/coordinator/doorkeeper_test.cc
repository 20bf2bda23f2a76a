#include "core/coordinator/doorkeeper.h"

#include "tests/unit/core/engine/hospital.h"

namespace reprise::coordinator {
namespace {

using engine::testing::Hospital;
using reprise::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr absl::StatusCode kDenied = absl::StatusCode::kPermissionDenied;

TEST(HostRates, GiveABurstAndThenOneAtATimeToEachHostByItself) {
  HostRates rates(3, seconds(6));
  const HostRates::Clock::time_point start{std::chrono::hours(1)};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rates.Take("ws-001", start), milliseconds(0));
  EXPECT_EQ(rates.Take("ws-001", start), seconds(6));
  EXPECT_EQ(rates.Take("ws-001", start + seconds(4)), seconds(2)) << "asking too early costs nothing";
  EXPECT_EQ(rates.Take("ws-002", start), milliseconds(0));
  EXPECT_EQ(rates.Take("ws-001", start + seconds(6)), milliseconds(0));
  EXPECT_EQ(rates.Take("ws-001", start + seconds(7)), seconds(5));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rates.Take("ws-001", start + seconds(60)), milliseconds(0)) << "full again";
  EXPECT_NE(rates.Take("ws-001", start + seconds(60)), milliseconds(0));
}

class DoorkeeperTest : public ::testing::Test {
 protected:
  struct StandingClock final : Clock {
    UnixMs Now() const override { return 1'000'000; }
  };
  // What the loop would tell.
  void Decide(const engine::Input& input) {
    const size_t before = hospital.journal.size();
    hospital.Decide(input);
    doorkeeper.OnEvents(hospital.engine, {hospital.journal.begin() + static_cast<ptrdiff_t>(before), hospital.journal.end()});
  }
  void Join(const std::string& certificate, UnixMs valid_from) {
    engine::Command command;
    command.operator_name = "alice";
    engine::Command::Issue issue;
    auto& token = issue.tokens.emplace_back();
    token.set_host("ws-001");
    token.set_secret_sha256(crypto::Sha256(certificate));
    token.set_expires_ms(hospital.now + 1000);
    issue.join_until = hospital.now + 1000;
    command.request = issue;
    Decide(command);
    engine::EnrolRequested join{1, "ws-001", crypto::Sha256(certificate), certificate, ""};
    join.certificate_valid_from = valid_from;
    Decide(join);
  }

  StandingClock clock;
  Hospital hospital{2};
  Doorkeeper doorkeeper{clock};
};

TEST_F(DoorkeeperTest, LetsNobodyInBeforeItHasLearnt) {
  EXPECT_THAT(doorkeeper.Check("ws-001", {}), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("starting")));
}

TEST_F(DoorkeeperTest, FollowsWhatBecomesOfAHostsCertificates) {
  Join("one", 1000);
  doorkeeper.Learn(hospital.engine);
  EXPECT_OK(doorkeeper.Check("ws-001", {"one", 1000}));
  EXPECT_THAT(doorkeeper.Check("ws-001", {"two", 500}), StatusIs(kDenied, HasSubstr("replaced")));
  EXPECT_THAT(doorkeeper.Check("ws-009", {"one", 1000}), StatusIs(kDenied, HasSubstr("not enrolled")));
  EXPECT_EQ(doorkeeper.Refused(), 2);

  engine::EnrolRequested renewal{1, "ws-001", "", "two", "", 2000, {"one", 1000}};
  Decide(renewal);
  EXPECT_OK(doorkeeper.Check("ws-001", {"one", 1000}));
  EXPECT_OK(doorkeeper.Check("ws-001", {"two", 2000}));
  Decide(engine::SessionOpened{"ws-001", 5000, {}, "10.0.0.1", {"two", 2000}});
  EXPECT_THAT(doorkeeper.Check("ws-001", {"one", 1000}), StatusIs(kDenied, _));

  operators::v1::ExpelHostRequest expel;
  expel.set_host("ws-001");
  expel.set_reason("stolen");
  engine::Command command;
  command.operator_name = "alice";
  command.request = expel;
  Decide(command);
  EXPECT_THAT(doorkeeper.Check("ws-001", {"two", 2000}), StatusIs(kDenied, HasSubstr("expelled")));
  Join("three", 3000);
  EXPECT_OK(doorkeeper.Check("ws-001", {"three", 3000}));
  EXPECT_THAT(doorkeeper.Check("ws-001", {"two", 2000}), StatusIs(kDenied, HasSubstr("replaced")));
}

TEST_F(DoorkeeperTest, BoundsHowOftenAHostOpensSessionsAndSaysWhenToComeAgain) {
  for (int i = 0; i < Doorkeeper::kSessionBurst; ++i) EXPECT_OK(doorkeeper.TakeSession("ws-001"));
  EXPECT_THAT(doorkeeper.TakeSession("ws-001"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("come again in 6 s")));
  EXPECT_OK(doorkeeper.TakeSession("ws-002"));
  EXPECT_OK(doorkeeper.TakeRenewal("ws-001")) << "renewals are counted by themselves";
  EXPECT_EQ(doorkeeper.Throttled(), 1);
}

TEST_F(DoorkeeperTest, LetsAHostRenewFiveTimesAndThenOnceAMinute) {
  for (int i = 0; i < 5; ++i) EXPECT_OK(doorkeeper.TakeRenewal("ws-001"));
  EXPECT_THAT(doorkeeper.TakeRenewal("ws-001"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("come again in 60 s")));
  EXPECT_OK(doorkeeper.TakeRenewal("ws-002"));
  EXPECT_OK(doorkeeper.TakeSession("ws-001"));
  EXPECT_EQ(doorkeeper.Throttled(), 1);
}

}  // namespace
}  // namespace reprise::coordinator
