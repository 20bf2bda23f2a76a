#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "agents/engine/agent_engine.h"
#include "tests/unit/agents/engine/connected_host.h"

namespace reprise::agents {
namespace {

using namespace testing;  // NOLINT: the fixture's words
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StopTest : public ConnectedHostTest {};

TEST_F(StopTest, KillsTheVerbOfACancelledAttemptAndSaysSo) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.HearCancel(plan.Key());
  EXPECT_THAT(host.killed, ElementsAre(host.verbs.back().id));
  EXPECT_TRUE(host.Outcomes().empty());
  host.VerbEnds(VerbEnd::kCancelled);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_CANCELLED);
  EXPECT_THAT(host.LastOutcome().reason(), HasSubstr("aborted by alice"));
  EXPECT_THAT(host.LastOutcome().reason(), HasSubstr("not known"));
}

TEST_F(StopTest, CancelsAtOnceWhatIsStillBeingFetched) {
  host.Hear(plan.Task());
  host.HearCancel(plan.Key());
  EXPECT_EQ(host.dropped.size(), 1u);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_CANCELLED);
}

TEST_F(StopTest, DoesNotGoOnToTheNextVerbOfACancelledAttempt) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.HearCancel(plan.Key());
  host.ProbeSays(false);  // It ended by itself before the kill reached it.
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_CANCELLED);
  EXPECT_EQ(host.Applied(), 0u);
}

TEST_F(StopTest, AnswersACancelOfWhatHasEndedWithItsOutcome) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(true);
  host.ForgetEffects();
  host.HearCancel(plan.Key());
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_UNCHANGED);
  EXPECT_TRUE(host.killed.empty());
}

TEST_F(StopTest, IsNotMadeDeafByASerialBeyondAllLikelihood) {
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  host.HearStop(kLast, false);
  EXPECT_FALSE(host.engine().stopped());
  host.HearStop(kLast, true);
  EXPECT_TRUE(host.engine().stopped()) << "to stop is always allowed";
  EXPECT_EQ(host.sent.back().stop_confirmed().serial(), 1u);
  host.HearStop(2, false);
  EXPECT_FALSE(host.engine().stopped());
}

TEST_F(StopTest, ConfirmsAStopOnlyWhenNothingRunsAnyMore) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.HearStop(1, true);
  EXPECT_EQ(host.killed.size(), 1u);
  EXPECT_FALSE(host.sent.back().has_stop_confirmed());
  host.VerbEnds(VerbEnd::kCancelled);
  ASSERT_TRUE(host.sent.back().has_stop_confirmed());
  EXPECT_EQ(host.sent.back().stop_confirmed().serial(), 1u);
  EXPECT_EQ(host.sent.back().stop_confirmed().killed(), 1u);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_CANCELLED);
  EXPECT_EQ(host.LastOutcome().code(), "stopped");
}

TEST_F(StopTest, StaysStoppedThroughACrashUntilALaterSerialLiftsIt) {
  host.HearStop(3, true);
  EXPECT_TRUE(host.sent.back().has_stop_confirmed());
  host.Crash();
  host.Connect();
  EXPECT_TRUE(host.sent[0].hello().stopped());
  EXPECT_EQ(host.sent[0].hello().stop_serial(), 3u);
  host.Hear(plan.Task());
  EXPECT_EQ(host.LastOutcome().code(), "stopped");
  host.HearStop(2, false);
  EXPECT_TRUE(host.engine().stopped());
  host.HearStop(4, false);
  EXPECT_FALSE(host.engine().stopped());
  host.HearStop(3, true);  // A late copy of the old one.
  EXPECT_FALSE(host.engine().stopped());
  host.Hear(plan.Task());
  EXPECT_EQ(host.LastOutcome().code(), "stopped") << "what was refused is refused again";
  host.Hear(plan.Task(2));
  EXPECT_TRUE(host.sent.back().has_accepted());
}

TEST_F(StopTest, StartsNothingAfterACrashWhileStopped) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.HearStop(1, true);
  host.Crash();  // Before the verb was seen to end.
  host.Connect();
  EXPECT_TRUE(host.fetches.empty());
  EXPECT_TRUE(host.verbs.empty());
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_INTERRUPTED);
  EXPECT_EQ(host.LastOutcome().code(), "stopped");
}

TEST_F(StopTest, ConfirmsAgainWhenTheStopIsRepeatedAtTheNextSession) {
  host.HearStop(1, true);
  host.Disconnect();
  host.ForgetEffects();
  host.Connect();
  host.HearStop(1, true);
  EXPECT_TRUE(host.sent.back().has_stop_confirmed());
}

}  // namespace
}  // namespace reprise::agents
