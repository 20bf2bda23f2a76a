// What a host found out is told days later, or in another order than it was found: it counts by when it was looked at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/proofs.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using agent::v1::Finished;

class LateFindingsTest : public ::testing::Test {
 protected:
  // Sends ws-001 a task that only looks.
  agent::v1::Task SendLook(int64_t timeout_ms = kHour) {
    PlanDraft plan(hospital.people, v1::EFFECT_READ, absl::StrCat("look-0000000", ++looks));
    plan.header.mutable_limits()->set_per_host_max(4);
    hospital.tasks["ws-001"].clear();  // What was sent again.
    plan.AddStep(plan.AddStage("look", {1}), "look").set_timeout_ms(timeout_ms);
    hospital.Launch(plan);
    return hospital.Take("ws-001");
  }
  // ws-001 says what the look found after `duration_ms`, by its own clock, which is a year ahead.
  void Tell(const agent::v1::Task& task, int64_t duration_ms, v1::ClaimState state,
            v1::BackupVerdict verdict = v1::BACKUP_VERDICT_INTACT, double count = 0) {
    agent::v1::AgentMessage message;
    Finished& finished = *message.mutable_finished();
    *finished.mutable_key() = task.key();
    finished.set_outcome(v1::OUTCOME_UNCHANGED);
    finished.set_started_ms(hospital.now + 365 * 24 * kHour);
    finished.set_duration_ms(duration_ms);
    auto& claim = *finished.add_claims();
    claim.set_name("mock.closed");
    claim.set_state(state);
    auto& copy = *finished.add_verdicts();
    copy.set_set("lis");
    copy.set_point("d1");
    copy.set_verdict(verdict);
    copy.set_manifest_sha256(crypto::Sha256("d1"));
    auto& measure = *finished.add_measures();
    measure.set_name("mock.files");
    measure.set_value(count);
    hospital.Say("ws-001", message);
  }
  void ComeBack(const std::vector<agent::v1::Task>& in_flight = {}) {
    agent::v1::Hello hello;
    for (const auto& task : in_flight) *hello.add_in_flight() = task.key();
    hospital.Connect("ws-001", hello);
  }
  const journal::v1::ClaimRecord& Claim() const { return hospital.engine.FindHost("ws-001")->claims(0); }
  const journal::v1::MeasureRecord& Measure() const { return hospital.engine.FindHost("ws-001")->measures(0); }
  const journal::v1::RecoveryPointRecord& Copy() const { return hospital.engine.state().recovery_points(0); }

  Hospital hospital{2};
  int looks = 0;
};

TEST_F(LateFindingsTest, AreAsOldAsTheLookAndNotAsYoungAsTheWord) {
  const UnixMs sent = hospital.now;
  const agent::v1::Task task = SendLook();
  hospital.Disconnect("ws-001");
  hospital.now += 10 * kHour;
  ComeBack();
  Tell(task, 3000, v1::CLAIM_STATE_HOLDS);
  EXPECT_EQ(Claim().at_ms(), sent + 3000);
  EXPECT_EQ(Copy().at_ms(), sent + 3000);
  EXPECT_EQ(Measure().at_ms(), sent + 3000);
  hospital.Crash();
  EXPECT_EQ(Claim().at_ms(), sent + 3000);
}

TEST_F(LateFindingsTest, OfAnEarlierLookChangeNothingOfThoseOfALaterOne) {
  const agent::v1::Task older = SendLook(), newer = SendLook();
  hospital.Disconnect("ws-001");
  hospital.now += kHour;
  ComeBack();
  Tell(newer, 9000, v1::CLAIM_STATE_FAILS, v1::BACKUP_VERDICT_CORRUPT, 9);
  Tell(older, 3000, v1::CLAIM_STATE_HOLDS, v1::BACKUP_VERDICT_INTACT, 3);
  EXPECT_EQ(hospital.RunOf(1).state(), v1::RUN_STATE_SUCCEEDED) << "the outcome itself counts";
  EXPECT_EQ(Claim().state(), v1::CLAIM_STATE_FAILS);
  EXPECT_EQ(Claim().run(), 2u);
  EXPECT_EQ(Copy().verdict().verdict(), v1::BACKUP_VERDICT_CORRUPT);
  EXPECT_EQ(Measure().measure().value(), 9);
}

TEST_F(LateFindingsTest, OfATaskThatTookLongCountOverThoseOfAShortOneThatWasSentLater) {
  const agent::v1::Task patient = SendLook();
  hospital.now += 1000;
  const agent::v1::Task quick = SendLook();
  hospital.now += 1000;
  Tell(quick, 500, v1::CLAIM_STATE_HOLDS);
  hospital.now += 60'000;
  Tell(patient, 61'000, v1::CLAIM_STATE_FAILS);
  EXPECT_EQ(Claim().state(), v1::CLAIM_STATE_FAILS);
}

TEST_F(LateFindingsTest, AreNoYoungerThanTheTaskWasAllowedToTakeNorThanTheirArrival) {
  const UnixMs sent = hospital.now;
  agent::v1::Task task = SendLook(/*timeout_ms=*/60'000);
  hospital.Disconnect("ws-001");
  hospital.now += kHour;
  ComeBack();
  Tell(task, 10 * kHour, v1::CLAIM_STATE_HOLDS);
  EXPECT_EQ(Claim().at_ms(), sent + 90'000) << "the timeout, and the grace for its outcome";
  task = SendLook();
  Tell(task, 10 * kHour, v1::CLAIM_STATE_HOLDS);
  EXPECT_EQ(Claim().at_ms(), hospital.now);
}

TEST_F(LateFindingsTest, OfATaskThatWasSentAgainAreOldUnlessTheAgentTookItOnlyThen) {
  const UnixMs sent = hospital.now;
  agent::v1::Task task = SendLook();
  hospital.now += 10'000;
  ComeBack();
  ASSERT_EQ(hospital.Take("ws-001").key().attempt(), 1u) << "it may have ended already: then its word comes now";
  Tell(task, 2000, v1::CLAIM_STATE_HOLDS);
  EXPECT_EQ(Claim().at_ms(), sent + 2000);

  task = SendLook();
  hospital.now += 10'000;
  ComeBack();
  const UnixMs again = hospital.now;
  hospital.Accept(hospital.Take("ws-001"), "ws-001");
  hospital.now += 2000;
  Tell(task, 2000, v1::CLAIM_STATE_HOLDS);
  EXPECT_EQ(Claim().at_ms(), again + 2000) << "it had never come through";

  const UnixMs third = hospital.now;
  task = SendLook();
  hospital.now += 10'000;
  ComeBack({task});
  Tell(task, 2000, v1::CLAIM_STATE_FAILS);
  EXPECT_EQ(Claim().at_ms(), third + 2000) << "it had it all the time";
}

TEST_F(LateFindingsTest, CountOverThoseOfAClockThatWasSetBackSince) {
  Tell(SendLook(), 0, v1::CLAIM_STATE_HOLDS);
  hospital.now -= kHour / 2;
  Tell(SendLook(), 0, v1::CLAIM_STATE_FAILS);
  EXPECT_EQ(Claim().state(), v1::CLAIM_STATE_FAILS);
}

TEST_F(LateFindingsTest, AreKeptOfOneHostUpToABound) {
  for (int i = 0; i < 8; ++i) {
    agent::v1::AgentMessage message;
    Finished& finished = *message.mutable_finished();
    *finished.mutable_key() = SendLook().key();
    finished.set_outcome(v1::OUTCOME_UNCHANGED);
    for (int c = 0; c < 64; ++c) {
      auto& claim = *finished.add_claims();
      claim.set_name(absl::StrCat("mock.claim-", i, "-", c));
      claim.set_state(v1::CLAIM_STATE_HOLDS);
    }
    hospital.Say("ws-001", message);
  }
  EXPECT_EQ(hospital.engine.FindHost("ws-001")->claims_size(), 256);
}

}  // namespace
}  // namespace reprise::engine
