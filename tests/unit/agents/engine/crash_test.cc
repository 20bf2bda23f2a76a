#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/engine/agent_engine.h"
#include "tests/unit/agents/engine/connected_host.h"

namespace reprise::agents {
namespace {

using namespace testing;  // NOLINT: the fixture's words

class CrashTest : public ConnectedHostTest {};

// Dies after each record of an attempt in turn. Whatever was left, the next life looks before it does anything, and an
// apply that may have begun is never begun again.
TEST_F(CrashTest, ProbesBeforeAnythingElseAfterACrashAtEachRecord) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.ApplyIsDone();
  host.VerbGives(FakeHost::kHolds);
  const auto whole = host.spool();
  bool saw_intent = false, saw_finish = false;
  for (size_t left = EnrolledRecords(people).size(); left <= whole.size(); ++left) {
    SCOPED_TRACE(left);
    std::vector<agent::v1::SpoolRecord> records(whole.begin(), whole.begin() + static_cast<long>(left));
    bool accepted = false, intended = false, finished = false;
    for (const auto& record : records) {
      accepted |= record.has_attempt_accepted();
      intended |= record.has_attempt_intended();
      finished |= record.has_attempt_finished();
    }
    saw_intent |= intended && !finished;
    saw_finish |= finished;
    FakeHost next(records);
    EXPECT_EQ(next.fetches.size(), accepted && !finished ? 1u : 0u);
    EXPECT_TRUE(next.verbs.empty());
    if (!accepted || finished) continue;
    next.FilesCome();
    EXPECT_EQ(next.LastVerb(), v1::VERB_PROBE);
    next.Connect();
    next.ProbeSays(false);
    if (intended) {
      EXPECT_EQ(next.LastOutcome().outcome(), v1::OUTCOME_INTERRUPTED);
      EXPECT_EQ(next.Applied(), 0u);
    } else {
      EXPECT_EQ(next.LastVerb(), v1::VERB_APPLY);
    }
  }
  EXPECT_TRUE(saw_intent);
  EXPECT_TRUE(saw_finish);
}

TEST_F(CrashTest, FindsAfterACrashThatTheActionWasDoneAndVerifiesIt) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.Crash();
  host.Connect();
  host.FilesCome();
  host.ProbeSays(true);
  EXPECT_EQ(host.LastVerb(), v1::VERB_VERIFY);
  host.VerbGives(FakeHost::kHolds);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_CHANGED);
  EXPECT_EQ(host.Applied(), 0u);
}

TEST_F(CrashTest, LooksAfterACrashEvenUnderAHoldAndPastTheExpiry) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.HearHostStatement(Admission(people, "ws-001", [](auto& own) {
    own.serial = 2;
    own.hold = "police copy of the disk";
  }));
  host.now = plan.header.expires_ms() + 1;
  host.Crash();
  host.Connect();
  host.FilesCome();
  host.ProbeSays(false);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_INTERRUPTED);
}

TEST_F(CrashTest, KeepsAnUnknownFateUnknownWhenTheProbeCannotTell) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.Crash();
  host.Connect();
  host.FilesCome();
  host.VerbEnds(VerbEnd::kCrashed, "", "signal 9");
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_INTERRUPTED);
}

TEST_F(CrashTest, RecoversARollbackByLooking) {
  plan.AddUndoingStep();
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.ApplyIsDone();
  host.VerbGives(FakeHost::kHolds);
  host.Hear(plan.Task(2, 0, true));
  host.FilesCome();
  host.ProbeSays(true);
  ASSERT_EQ(host.LastVerb(), v1::VERB_ROLLBACK);
  host.Crash();
  host.Connect();
  host.FilesCome();
  EXPECT_EQ(host.LastVerb(), v1::VERB_PROBE);
  host.ProbeSays(false);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_CHANGED);
}

}  // namespace
}  // namespace reprise::agents
