// Plans that nobody signed, because they only read: how far ahead they may run, and what room they have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agents/engine/connected_host.h"

namespace reprise::agents {
namespace {

using namespace testing;  // NOLINT: the fixture's words
using ::testing::HasSubstr;

// What whoever owns the coordinator can make without people: plans that only read.
class UnsignedPlansTest : public ConnectedHostTest {
 protected:
  agent::v1::Task Reading(size_t number, uint32_t attempt = 1) const {
    PlanMaker reading(people, v1::EFFECT_READ);
    reading.header.set_plan_id("look-" + std::to_string(10'000'000 + number));
    reading.header.set_created_ms(kNoon + static_cast<int64_t>(number) * 1000);
    agent::v1::Task task = reading.Task(attempt);
    task.mutable_plugin()->mutable_signature()->set_minisig("by an operator");
    return task;
  }
  // What the agent says of the first task of such a plan: "accepted", or the refusal's code.
  std::string AnswerTo(const PlanMaker& reading) {
    agent::v1::Task task = reading.Task();
    task.mutable_plugin()->mutable_signature()->set_minisig("by an operator");
    host.ForgetEffects();
    host.Hear(task);
    return host.sent.back().has_accepted() ? "accepted" : host.LastOutcome().code();
  }
  // To the end, as far as the agent is concerned.
  void Look(size_t number, bool acknowledged = true) {
    host.Hear(Reading(number));
    ASSERT_TRUE(host.sent.back().has_accepted()) << number << ": " << host.LastOutcome().reason();
    host.FilesCome();
    host.ProbeSays(true);
    if (acknowledged) host.HearAcknowledged(Reading(number).key());
  }
};

// ---- how far ahead: nobody but the coordinator chose the end of such a plan ----

TEST_F(UnsignedPlansTest, RunADayAheadOfTheHostsClockAndNoFurther) {
  PlanMaker reading(people, v1::EFFECT_READ);
  reading.header.set_expires_ms(host.now + 24 * kHour + 1000);
  EXPECT_EQ(AnswerTo(reading), "unsigned");
  EXPECT_THAT(host.LastOutcome().reason(), HasSubstr("24 hours ahead"));
  reading.header.set_expires_ms(host.now + 24 * kHour);
  EXPECT_EQ(AnswerTo(reading), "accepted");
}

TEST_F(UnsignedPlansTest, RunAsLongAsPeopleWantOnceTheySign) {
  PlanMaker reading(people, v1::EFFECT_READ);
  reading.header.set_expires_ms(host.now + 72 * kHour);
  EXPECT_EQ(AnswerTo(reading), "unsigned");
  reading.signers = {"bob"};
  EXPECT_EQ(AnswerTo(reading), "accepted");
}

TEST_F(UnsignedPlansTest, AreNotSignedByAStranger) {
  People strangers;
  PlanMaker reading(people, v1::EFFECT_READ);
  reading.header.set_expires_ms(host.now + 48 * kHour);
  agent::v1::Task task = reading.Task();
  *task.mutable_authority()->mutable_plan() = strangers.Signed(reading.Statement().Write(), {"alice"});
  task.mutable_plugin()->mutable_signature()->set_minisig("by an operator");
  host.Hear(task);
  EXPECT_EQ(host.LastOutcome().code(), "unsigned");
}

TEST_F(UnsignedPlansTest, AreNotFromTheFuture) {
  PlanMaker reading(people, v1::EFFECT_READ);
  reading.header.set_created_ms(host.now + 5 * kHour);
  EXPECT_EQ(AnswerTo(reading), "unsigned");
  reading.header.set_created_ms(host.now + 4 * kHour);  // A clock may be late.
  EXPECT_EQ(AnswerTo(reading), "accepted");
}

TEST_F(UnsignedPlansTest, TakeNoLongerThanThePlanMayRun) {
  PlanMaker reading(people, v1::EFFECT_READ);
  reading.header.mutable_stages(0)->mutable_steps(0)->set_timeout_ms(365 * 24 * kHour);
  EXPECT_EQ(AnswerTo(reading), "accepted");
  host.FilesCome();
  EXPECT_EQ(host.verbs.back().deadline, reading.header.expires_ms());
}

// ---- their room ----

TEST_F(UnsignedPlansTest, GiveWayToNewerOnesAndAreNeverRunAgain) {
  for (size_t i = 0; i <= kUnsignedPlansMax; ++i) Look(i);
  EXPECT_EQ(host.spool()[host.spool().size() - 5].plans_forgotten().plans(0), Reading(0).key().plan_id());
  const size_t looked = host.verbs.size();
  for (const uint32_t attempt : {1u, 2u}) {
    host.Hear(Reading(0, attempt));
    EXPECT_EQ(host.LastOutcome().code(), "expired");
  }
  host.Crash();
  host.Connect();
  host.Hear(Reading(0, 3));
  EXPECT_EQ(host.LastOutcome().code(), "expired");
  host.Hear(Reading(1));  // Remembered still: its outcome is said again.
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_UNCHANGED);
  EXPECT_EQ(looked, kUnsignedPlansMax + 1);
  EXPECT_TRUE(host.verbs.empty());
}

TEST_F(UnsignedPlansTest, AreRefusedByTheirBirthAlsoAfterACompactionAndOnceTheClockWentBack) {
  for (size_t i = 0; i <= kUnsignedPlansMax; ++i) Look(i);
  FakeHost compacted(host.engine().Compact());
  compacted.now = kNoon;
  compacted.Connect();
  compacted.Hear(Reading(0));
  EXPECT_EQ(compacted.LastOutcome().code(), "expired");
  compacted.Hear(Reading(1));
  EXPECT_EQ(compacted.LastOutcome().outcome(), v1::OUTCOME_UNCHANGED);
  compacted.Hear(plan.Task());  // What people signed is as old, and does not care.
  EXPECT_TRUE(compacted.sent.back().has_accepted());
}

TEST_F(UnsignedPlansTest, GiveWayAlsoWhenNobodyEverAcknowledgesThem) {
  for (size_t i = 0; i < 3 * kUnsignedPlansMax; ++i) Look(i, /*acknowledged=*/false);
  EXPECT_EQ(host.engine().Unacknowledged().size(), kUnsignedPlansMax);
}

TEST_F(UnsignedPlansTest, GiveWayFirstWhereTheCoordinatorHasTheOutcome) {
  for (size_t i = 0; i < kUnsignedPlansMax; ++i) Look(i, /*acknowledged=*/i == 7);
  Look(kUnsignedPlansMax);
  EXPECT_EQ(host.engine().Unacknowledged().size(), kUnsignedPlansMax - 1);
  host.ForgetEffects();
  host.Hear(Reading(7, 2));
  EXPECT_EQ(host.LastOutcome().code(), "expired");
}

TEST_F(UnsignedPlansTest, DoNotGiveWayWhileTheyAreAtWork) {
  host.Hear(Reading(0));
  const uint64_t oldest = host.fetches.back().id;
  for (size_t i = 1; i <= kUnsignedPlansMax; ++i) Look(i);
  host.Decide(FilesReady{oldest, true, "", ""});
  host.ProbeSays(true);
  EXPECT_EQ(host.LastOutcome().key().plan_id(), Reading(0).key().plan_id());
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_UNCHANGED);
}

TEST_F(UnsignedPlansTest, LeaveTheRoomOfSignedOnesAlone) {
  for (size_t i = 0; i < kUnsignedInFlightMax; ++i) host.Hear(Reading(i));
  EXPECT_EQ(host.engine().InFlight().size(), kUnsignedInFlightMax);
  host.Hear(Reading(kUnsignedInFlightMax));
  EXPECT_EQ(host.LastOutcome().code(), "busy");
  for (uint32_t i = 1; i < kAttemptsInFlightMax; ++i) plan.AddStep("s" + std::to_string(i), v1::EFFECT_CHANGE);
  for (uint32_t i = 0; i < kAttemptsInFlightMax; ++i) {
    host.Hear(plan.Task(1, i));
    EXPECT_TRUE(host.sent.back().has_accepted()) << i;
  }
}

TEST_F(UnsignedPlansTest, StayWhenPeopleSignThem) {
  PlanMaker reading(people, v1::EFFECT_READ);
  reading.header.set_plan_id(Reading(0).key().plan_id());
  Look(0);
  reading.signers = {"bob"};
  reading.AddStep("more", v1::EFFECT_READ);
  host.Hear(reading.Task(1, 1));
  ASSERT_TRUE(host.sent.back().has_accepted());
  host.FilesCome();
  host.ProbeSays(true);
  host.HearAcknowledged(reading.Key(1, 1));
  for (size_t i = 1; i <= 2 * kUnsignedPlansMax; ++i) Look(i);
  host.Hear(reading.Task(1, 1));
  EXPECT_EQ(host.LastOutcome().key().SerializeAsString(), reading.Key(1, 1).SerializeAsString()) << "it is remembered";
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_UNCHANGED);
}

// ---- under the name of another ----

// Whoever owns the coordinator may give any plan any name.
TEST_F(UnsignedPlansTest, DoNotTakeTheNameOfOneThatIsKnown) {
  host.Hear(plan.Task());
  host.FilesCome();
  PlanMaker look(people, v1::EFFECT_READ);
  look.header.set_plan_id(plan.header.plan_id());
  look.header.set_expires_ms(host.now + 60'000);
  agent::v1::Task task = look.Task(1, 0);
  task.mutable_plugin()->mutable_signature()->set_minisig("by an operator");
  host.ForgetEffects();
  host.Hear(task);
  EXPECT_TRUE(host.sent.empty()) << "an answer would be taken for the outcome of what is at work";
  EXPECT_EQ(host.warnings.size(), 1u);
  task.mutable_key()->set_attempt(2);
  host.Hear(task);
  EXPECT_EQ(host.LastOutcome().code(), "another_plan");
  // What people signed goes on by its own words, and by what it knows of itself, also in the next life.
  host.Crash();
  host.Connect();
  ASSERT_FALSE(host.fetches.empty());
  EXPECT_EQ(host.fetches.back().files[0].keys, std::vector<std::string>());
  host.FilesCome();
  EXPECT_EQ(host.verbs.back().effect_max, v1::EFFECT_CHANGE);
  host.now += 3 * kHour;  // An hour after the other's end, and long before its own.
  host.Decide(Tick{});
  host.Hear(plan.Task());
  EXPECT_TRUE(host.sent.back().has_accepted()) << "it is remembered, and not begun again";
}

TEST_F(UnsignedPlansTest, GiveTheirNameToOneThatPeopleSigned) {
  Look(0);
  PlanMaker change(people);
  change.header.set_plan_id(Reading(0).key().plan_id());
  host.ForgetEffects();
  host.Hear(change.Task());
  ASSERT_TRUE(host.sent.back().has_accepted()) << "and is not answered with what the other saw";
  host.FilesCome();
  EXPECT_EQ(host.verbs.back().effect_max, v1::EFFECT_CHANGE);
  host.Hear(Reading(0, 2));
  EXPECT_EQ(host.LastOutcome().code(), "another_plan");
}

TEST_F(UnsignedPlansTest, KeepTheirNameWhileTheyAreAtWork) {
  host.Hear(Reading(0));
  PlanMaker change(people);
  change.header.set_plan_id(Reading(0).key().plan_id());
  host.Hear(change.Task(2));
  EXPECT_EQ(host.LastOutcome().code(), "another_plan");
}

TEST_F(UnsignedPlansTest, MayLookAgainUnderAGrowingNumber) {
  Look(0);
  agent::v1::Task again = Reading(0);
  again.mutable_key()->set_attempt(2);
  host.Hear(again);
  EXPECT_TRUE(host.sent.back().has_accepted());
}

}  // namespace
}  // namespace reprise::agents
