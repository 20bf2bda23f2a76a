#include "agents/engine/attempts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agents/engine/connected_host.h"

namespace reprise::agents {
namespace {

using namespace testing;  // NOLINT: the fixture's words
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class AttemptsTest : public ConnectedHostTest {};

TEST_F(AttemptsTest, CarriesAnAttemptThroughProbeApplyAndVerify) {
  host.Hear(plan.Task());
  EXPECT_TRUE(host.sent.back().has_accepted());
  ASSERT_EQ(host.fetches.size(), 1u);
  EXPECT_EQ(host.fetches[0].files[0].sha256, crypto::Sha256("the plugin's bytes"));
  host.FilesCome();
  EXPECT_EQ(host.LastVerb(), v1::VERB_PROBE);
  EXPECT_EQ(host.verbs.back().deadline, host.now + 60'000);
  host.ProbeSays(false);
  EXPECT_EQ(host.LastVerb(), v1::VERB_APPLY);
  EXPECT_TRUE(host.spool().back().has_attempt_intended());
  host.ApplyIsDone();
  EXPECT_EQ(host.LastVerb(), v1::VERB_VERIFY);
  host.now += 1500;
  host.VerbGives(FakeHost::kHolds);
  const auto outcome = host.LastOutcome();
  EXPECT_EQ(outcome.outcome(), v1::OUTCOME_CHANGED);
  EXPECT_EQ(outcome.duration_ms(), 1500);
  EXPECT_EQ(outcome.start_delay_us(), 900);
  EXPECT_THAT(outcome.evidence_json(), HasSubstr("PONG"));
  ASSERT_EQ(outcome.claims_size(), 1);
  EXPECT_EQ(outcome.claims(0).state(), v1::CLAIM_STATE_HOLDS);
  EXPECT_TRUE(host.engine().InFlight().empty());
}

TEST_F(AttemptsTest, PassesOnNoClaimOrNumberThatIsNotThePluginsOwn) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.ApplyIsDone();
  host.VerbGives(R"({"holds":true,"claims":[{"name":"edr.protected","state":"holds"},
                     {"name":"mock.protected","state":"holds"},{"name":"mockery.protected","state":"holds"},
                     {"name":"mock","state":"holds"}],
                     "measures":[{"name":"bubble.refused_out","value":0},{"name":"mock.files","value":3}]})");
  const auto outcome = host.LastOutcome();
  EXPECT_EQ(outcome.outcome(), v1::OUTCOME_CHANGED);
  ASSERT_EQ(outcome.claims_size(), 1);
  EXPECT_EQ(outcome.claims(0).name(), "mock.protected");
  ASSERT_EQ(outcome.measures_size(), 1);
  EXPECT_EQ(outcome.measures(0).name(), "mock.files");
  EXPECT_THAT(outcome.evidence_json(), Not(HasSubstr("edr"))) << "nor do they come in another way";
}

TEST_F(AttemptsTest, LeavesAloneWhatAlreadyHolds) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(true);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_UNCHANGED);
  EXPECT_EQ(host.LastOutcome().claims_size(), 1);
  EXPECT_EQ(host.Applied(), 0u);
}

TEST_F(AttemptsTest, CallsAnUnprovenSuccessAFailure) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.ApplyIsDone();
  host.VerbGives(R"({"holds":false,"summary":"EICAR passed","claims":[{"name":"mock.protected","state":"fails"}]})");
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(host.LastOutcome().code(), "verify_failed");
  EXPECT_EQ(host.LastOutcome().claims(0).state(), v1::CLAIM_STATE_FAILS);
}

TEST_F(AttemptsTest, NamesThePluginsErrorAndItsHint) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  VerbResult result;
  result.id = host.verbs.back().id;
  result.end = VerbEnd::kError;
  result.code = "dpkg_broken";
  result.message = "dpkg was interrupted";
  result.hint = "dpkg --configure -a";
  host.Decide(VerbEnded{result});
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(host.LastOutcome().code(), "dpkg_broken");
  EXPECT_EQ(host.LastOutcome().reason(), "apply: dpkg was interrupted");
  EXPECT_EQ(host.LastOutcome().hint(), "dpkg --configure -a");
}

TEST_F(AttemptsTest, TellsATimeoutACrashAndAWrongLibraryApart) {
  const struct {
    VerbEnd end;
    v1::Outcome outcome;
    const char* code;
  } kCases[] = {{VerbEnd::kTimedOut, v1::OUTCOME_TIMED_OUT, "timed_out"},
                {VerbEnd::kCrashed, v1::OUTCOME_FAILED, "crashed"},
                {VerbEnd::kRefused, v1::OUTCOME_REFUSED, "plugin_hash"}};
  uint32_t attempt = 0;
  for (const auto& c : kCases) {
    host.Hear(plan.Task(++attempt));
    host.FilesCome();
    host.VerbEnds(c.end, "", "signal 11");
    EXPECT_EQ(host.LastOutcome().outcome(), c.outcome);
    EXPECT_EQ(host.LastOutcome().code(), c.code);
  }
}

TEST_F(AttemptsTest, DoesNotBelieveAResultThatDoesNotSayWhetherItHolds) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.VerbGives(R"({"holds":"yes"})");
  EXPECT_EQ(host.LastOutcome().code(), "bad_result");
  EXPECT_EQ(host.Applied(), 0u);
}

TEST_F(AttemptsTest, OnlyProbesAStepThatReads) {
  PlanMaker reading(people, v1::EFFECT_READ);
  reading.signers = {"bob"};
  reading.header.set_plan_id("look-00000000");
  host.Hear(reading.Task());
  host.FilesCome();
  host.ProbeSays(false);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(host.LastOutcome().code(), "not_held");
  EXPECT_FALSE(host.LastOutcome().evidence_json().empty());
  host.Hear(reading.Task(2));
  host.FilesCome();
  host.ProbeSays(true);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_UNCHANGED);
  EXPECT_EQ(host.Applied(), 0u);
}

TEST_F(AttemptsTest, UndoesWhatItDidAndProvesIt) {
  plan.AddUndoingStep();
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.ApplyIsDone();
  host.VerbGives(FakeHost::kHolds);
  host.HearAcknowledged(plan.Key());
  host.Hear(plan.Task(2, 0, true));
  host.FilesCome();
  host.ProbeSays(true);
  EXPECT_EQ(host.LastVerb(), v1::VERB_ROLLBACK);
  EXPECT_TRUE(host.spool().back().has_attempt_intended());
  host.VerbGives(R"({"summary":"removed"})");
  EXPECT_EQ(host.LastVerb(), v1::VERB_PROBE);
  host.ProbeSays(false);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_CHANGED);
  EXPECT_TRUE(host.LastOutcome().key().rollback());
}

TEST_F(AttemptsTest, CallsARollbackThatLeavesTheThingThereAFailure) {
  plan.AddUndoingStep();
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(false);
  host.ApplyIsDone();
  host.VerbGives(FakeHost::kHolds);
  host.Hear(plan.Task(2, 0, true));
  host.FilesCome();
  host.ProbeSays(true);
  host.VerbGives(R"({"summary":"removed"})");
  host.ProbeSays(true);
  EXPECT_EQ(host.LastOutcome().code(), "rollback_failed");
}

TEST_F(AttemptsTest, SaysWhatAFileThatCannotBeHadIs) {
  host.Hear(plan.Task());
  host.Decide(FilesReady{host.fetches.back().id, false, "not_found", "the coordinator does not have it"});
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(host.LastOutcome().code(), "not_found");
}

TEST_F(AttemptsTest, JudgesAgainBeforeTheEffectBegins) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.HearHostStatement(Admission(people, "ws-001", [](auto& own) {
    own.serial = 2;
    own.hold = "police copy of the disk";
  }));
  host.ProbeSays(false);
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_REFUSED);
  EXPECT_EQ(host.LastOutcome().code(), "hold");
  EXPECT_EQ(host.Applied(), 0u);
}

// ---- refusing, delivering again, acknowledging ----

TEST_F(AttemptsTest, RefusesWithoutKeepingAnything) {
  plan.signers.clear();
  const size_t before = host.spool().size();
  host.Hear(plan.Task());
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_REFUSED);
  EXPECT_EQ(host.LastOutcome().code(), "unsigned");
  EXPECT_EQ(host.spool().size(), before);
  EXPECT_TRUE(host.fetches.empty());
}

TEST_F(AttemptsTest, RemembersTheAuthorityOfARefusedTaskForTheSession) {
  host.HearHostStatement(Admission(people, "ws-001", [](auto& own) {
    own.serial = 2;
    own.hold = "police copy of the disk";
  }));
  host.Hear(plan.Task());
  EXPECT_EQ(host.LastOutcome().code(), "hold");
  host.HearHostStatement(Admission(people, "ws-001", [](auto& own) { own.serial = 3; }));
  agent::v1::Task bare;
  *bare.mutable_key() = plan.Key(2);
  host.Hear(bare);
  EXPECT_TRUE(host.sent.back().has_accepted());
}

// The coordinator may have written the refusal down: what was refused must not be done after all.
TEST_F(AttemptsTest, RefusesTheSameAttemptAgainInTheSameSession) {
  const auto state = [&](uint64_t serial, const std::string& hold) {
    host.HearHostStatement(Admission(people, "ws-001", [&](auto& own) {
      own.serial = serial;
      own.hold = hold;
    }));
  };
  state(2, "police copy of the disk");
  host.Hear(plan.Task());
  state(3, "");
  host.ForgetEffects();
  host.Hear(plan.Task());
  EXPECT_EQ(host.LastOutcome().code(), "hold");
  EXPECT_TRUE(host.engine().InFlight().empty());
  host.Disconnect();
  host.Connect();
  host.Hear(plan.Task());  // Sent again because the refusal was never heard.
  EXPECT_TRUE(host.sent.back().has_accepted());
}

// A stolen coordinator may say again what was refused: the attempt under way answers, not the refusal.
TEST_F(AttemptsTest, NeverRefusesAnAttemptThatItAccepted) {
  agent::v1::Task changed = plan.Task();
  changed.mutable_authority()->set_leaf(changed.authority().leaf() + "x");
  host.Hear(changed);
  EXPECT_EQ(host.LastOutcome().code(), "bad_proof");
  host.Hear(plan.Task());
  EXPECT_TRUE(host.sent.back().has_accepted());
  host.ForgetEffects();
  host.Hear(changed);
  EXPECT_TRUE(host.sent.back().has_accepted());
  EXPECT_TRUE(host.Outcomes().empty());
}

TEST_F(AttemptsTest, AnswersTheSameAttemptWithoutRunningItAgain) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ForgetEffects();
  host.Hear(plan.Task());
  EXPECT_TRUE(host.sent.back().has_accepted());
  EXPECT_TRUE(host.fetches.empty());
  EXPECT_TRUE(host.verbs.empty());
}

TEST_F(AttemptsTest, GivesTheRecordedOutcomeAgainAlsoAfterTheAcknowledgement) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.ProbeSays(true);
  host.ForgetEffects();
  host.Hear(plan.Task());
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_UNCHANGED);
  EXPECT_FALSE(host.LastOutcome().evidence_json().empty());
  host.HearAcknowledged(plan.Key());
  EXPECT_TRUE(host.engine().Unacknowledged().empty());
  host.ForgetEffects();
  host.Hear(plan.Task());
  EXPECT_EQ(host.LastOutcome().outcome(), v1::OUTCOME_UNCHANGED);
  EXPECT_TRUE(host.verbs.empty());
  host.Hear(plan.Task(2));
  EXPECT_EQ(host.LastOutcome().code(), "replayed");
}

TEST_F(AttemptsTest, WorksThroughACutAndReportsAtEachConnectionUntilAcknowledged) {
  host.Hear(plan.Task());
  host.FilesCome();
  host.Disconnect();
  host.ProbeSays(false);
  host.ApplyIsDone();
  host.VerbGives(FakeHost::kHolds);
  EXPECT_TRUE(host.Outcomes().empty());
  host.Connect();
  host.Disconnect();
  host.Connect();
  EXPECT_EQ(host.Outcomes().size(), 2u);
  host.HearAcknowledged(plan.Key());
  host.Disconnect();
  host.Connect();
  EXPECT_EQ(host.Outcomes().size(), 2u);
}

TEST_F(AttemptsTest, SaysHelloFirstWithWhatItHolds) {
  host.Hear(plan.Task());
  host.Disconnect();
  host.ForgetEffects();
  host.Connect();
  ASSERT_TRUE(host.sent[0].has_hello());
  const auto& hello = host.sent[0].hello();
  EXPECT_EQ(hello.keyring_version(), 1u);
  EXPECT_EQ(hello.host_statement_serial(), 1u);
  ASSERT_EQ(hello.in_flight_size(), 1);
  EXPECT_EQ(hello.in_flight(0).SerializeAsString(), plan.Key().SerializeAsString());
  EXPECT_THAT(hello.plans(), ElementsAre("edr-00000000"));
}

TEST_F(AttemptsTest, PassesOverWhatAnOldSessionSays) {
  agent::v1::CoordinatorMessage message;
  *message.mutable_task() = plan.Task();
  host.Decide(CoordinatorSaid{99, message});
  EXPECT_TRUE(host.fetches.empty());
}

}  // namespace
}  // namespace reprise::agents
