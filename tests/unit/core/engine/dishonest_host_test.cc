// What a host in other hands may say with good papers: too much, of somebody else, or what no agent would. Each limit is
// tried from both sides.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/model/finding_limits.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using agent::v1::Finished;

class DishonestHostTest : public ::testing::Test {
 protected:
  // What the journal keeps when ws-001 ends a task with this.
  Finished Kept(const std::function<void(Finished&)>& say) {
    PlanDraft plan(hospital.people, v1::EFFECT_CHANGE, absl::StrCat("edr-0000000", ++runs));
    plan.AddStep(plan.AddStage("protect", {1}), "install");
    hospital.Launch(plan);
    agent::v1::AgentMessage message;
    Finished& finished = *message.mutable_finished();
    *finished.mutable_key() = hospital.Take("ws-001").key();
    finished.set_outcome(v1::OUTCOME_CHANGED);
    say(finished);
    hospital.Say("ws-001", message);
    EXPECT_EQ(hospital.RunOf(runs).state(), v1::RUN_STATE_SUCCEEDED) << "the outcome itself counts";
    for (auto event = hospital.journal.rbegin(); event != hospital.journal.rend(); ++event) {
      if (event->has_task_finished()) return event->task_finished().finished();
    }
    ADD_FAILURE() << "nothing was written";
    return {};
  }
  void SayFacts(const std::string& facts) {
    agent::v1::AgentMessage message;
    message.mutable_facts()->set_facts_json(facts);
    hospital.Say("ws-001", message);
  }
  // Whatever `say` says leaves no trace.
  void ExpectNothingOf(const std::function<void()>& say) {
    const std::string before = hospital.engine.Snapshot();
    const size_t events = hospital.journal.size();
    say();
    EXPECT_EQ(hospital.journal.size(), events);
    EXPECT_EQ(hospital.engine.Snapshot(), before);
  }

  Hospital hospital{2};
  uint64_t runs = 0;
};

// ---- somebody else's task ----

class SomebodyElsesTaskTest : public DishonestHostTest {
 protected:
  void SayAllOf(const agent::v1::Task& task) {
    hospital.Accept(task, "ws-002");
    hospital.Finish(task, "ws-002");
    hospital.Finish(task, "ws-002", v1::OUTCOME_FAILED, "disk_full");
  }
  PlanDraft draft{hospital.people};
};

TEST_F(SomebodyElsesTaskTest, IsNeitherBegunNorEndedByAHostThatThePlanDoesNotName) {
  draft.AddStep(draft.AddStage("protect", {1}), "install");
  hospital.Launch(draft);
  const agent::v1::Task task = hospital.Take("ws-001");
  ExpectNothingOf([&] { SayAllOf(task); });
  EXPECT_EQ(hospital.Acknowledged("ws-002"), 0u);
  hospital.Accept(task, "ws-001");
  ExpectNothingOf([&] { SayAllOf(task); });
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_RUNNING);
  hospital.Finish(task, "ws-001");
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_SUCCEEDED) << "the same words of the right host";
}

TEST_F(SomebodyElsesTaskTest, IsNeitherBegunNorEndedByAHostThatStillWaitsForItsTurn) {
  plan::v1::Stage& stage = draft.AddStage("protect", {2});
  stage.set_in_flight_max(1);
  draft.AddStep(stage, "install");
  hospital.Launch(draft);
  const agent::v1::Task task = hospital.Take("ws-001");
  ExpectNothingOf([&] { SayAllOf(task); });
  EXPECT_EQ(hospital.Acknowledged("ws-002"), 0u);
  hospital.Accept(task, "ws-001");
  hospital.Finish(task, "ws-001");
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_SUCCEEDED);
  EXPECT_EQ(hospital.Target(2).state(), v1::TARGET_STATE_ACTIVE) << "nothing that it said before counts";
}

// A key names no host: it is the stream that does. Two hosts at the same step have the same one.
TEST_F(SomebodyElsesTaskTest, IsNotEndedByAHostThatEndsItsOwnUnderTheSameKey) {
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  hospital.Launch(draft);
  const agent::v1::Task task = hospital.Take("ws-001");
  hospital.Accept(task, "ws-001");
  const std::string before = hospital.Target(1).SerializeAsString();
  SayAllOf(task);
  EXPECT_EQ(hospital.Target(1).SerializeAsString(), before);
  EXPECT_EQ(hospital.Target(2).state(), v1::TARGET_STATE_SUCCEEDED) << "its own, by its first word";
  hospital.Finish(task, "ws-001", v1::OUTCOME_FAILED, "disk_full");
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_FAILED);
}

// ---- too much ----

TEST_F(DishonestHostTest, HasFactsUpToAMebibyteAndNoneBeyond) {
  const std::string most(1 << 20, 'x');
  SayFacts(most);
  EXPECT_EQ(hospital.engine.FindHost("ws-001")->facts_json(), most);
  ExpectNothingOf([&] { SayFacts(most + 'x'); });
  ExpectNothingOf([&] { SayFacts(most); });
}

TEST_F(DishonestHostTest, FillsNoRecordWithItsVersion) {
  agent::v1::Hello hello;
  hello.set_agent_version(std::string(65, 'x'));
  hospital.Connect("ws-001", hello);
  EXPECT_EQ(hospital.engine.FindHost("ws-001")->agent_version(), std::string(64, 'x'));
}

TEST_F(DishonestHostTest, HasEvidenceUpToItsLimitAndNoneBeyond) {
  const std::string most(model::kEvidenceBytesMax, 'x');
  EXPECT_EQ(Kept([&](Finished& finished) { finished.set_evidence_json(most); }).evidence_json(), most);
  EXPECT_EQ(Kept([&](Finished& finished) { finished.set_evidence_json(most + 'x'); }).evidence_json(), "");
}

TEST_F(DishonestHostTest, HasItsTextsCutAndItsTimesBounded) {
  const Finished much = Kept([](Finished& finished) {
    finished.set_reason(std::string(4097, 'r'));
    finished.set_hint(std::string(2049, 'h'));
    finished.set_code(std::string(65, 'c'));
    finished.set_duration_ms(std::numeric_limits<int64_t>::max());
    finished.set_start_delay_us(std::numeric_limits<int64_t>::max());
  });
  EXPECT_EQ(much.reason(), std::string(4096, 'r'));
  EXPECT_EQ(much.hint(), std::string(2048, 'h'));
  EXPECT_EQ(much.code(), std::string(64, 'c'));
  EXPECT_EQ(much.duration_ms(), 30 * 24 * kHour);
  EXPECT_EQ(much.start_delay_us(), 30 * 24 * kHour * 1000);
  const Finished before = Kept([](Finished& finished) {
    finished.set_duration_ms(-1);
    finished.set_start_delay_us(-1);
  });
  EXPECT_EQ(before.duration_ms(), 0);
  EXPECT_EQ(before.start_delay_us(), 0);
}

// What is written must be readable: a text with half a character at its end is none, and would end the replay.
TEST_F(DishonestHostTest, WritesNothingThatTheJournalCannotBeReadBackFrom) {
  Kept([](Finished& finished) {
    finished.set_reason(std::string(4095, 'r') + "é");
    finished.set_hint(std::string(2047, 'h') + "é");
    finished.set_code(std::string(63, 'c') + "é");
  });
  agent::v1::Hello hello;
  hello.set_agent_version(std::string(63, 'x') + "é");
  hospital.Connect("ws-001", hello);
  for (const auto& event : hospital.journal) {
    journal::v1::Event back;
    EXPECT_TRUE(back.ParseFromString(event.SerializeAsString())) << event.kind_case();
  }
}

TEST_F(DishonestHostTest, ClaimsOnlyWhatIsThePluginsOwnAndOnlySoMuch) {
  const auto claim = [](Finished& finished, const std::string& name, size_t detail = 0) {
    auto& made = *finished.add_claims();
    made.set_name(name);
    made.set_state(v1::CLAIM_STATE_HOLDS);
    made.set_detail(std::string(detail, 'x'));
  };
  const Finished kept = Kept([&](Finished& finished) {
    claim(finished, "edr.protected");
    claim(finished, "mockery.protected");
    claim(finished, "mock");
    claim(finished, "mock." + std::string(124, 'x'));
    claim(finished, "mock.wordy", 4097);
    claim(finished, "mock." + std::string(123, 'x'), 4096);
  });
  ASSERT_EQ(kept.claims_size(), 1);
  EXPECT_EQ(kept.claims(0).name(), "mock." + std::string(123, 'x'));
  EXPECT_EQ(hospital.engine.FindHost("ws-001")->claims_size(), 1);
  const Finished many = Kept([&](Finished& finished) {
    for (int i = 0; i <= model::kClaimsMax; ++i) claim(finished, absl::StrCat("mock.claim-", i));
  });
  EXPECT_EQ(many.claims_size(), model::kClaimsMax);
}

TEST_F(DishonestHostTest, CountsOnlyWhatIsThePluginsOwnAndOnlySoMuch) {
  const auto count = [](Finished& finished, const std::string& name, double value = 1, size_t subject = 0) {
    auto& made = *finished.add_measures();
    made.set_name(name);
    made.set_subject(std::string(subject, 'x'));
    made.set_value(value);
  };
  const Finished kept = Kept([&](Finished& finished) {
    count(finished, "bubble.refused_out");
    count(finished, "mock.nothing", std::nan(""));
    count(finished, "mock.endless", std::numeric_limits<double>::infinity());
    count(finished, "mock.wordy", 1, 65);
    count(finished, "mock.files", 3, 64);
  });
  ASSERT_EQ(kept.measures_size(), 1);
  EXPECT_EQ(kept.measures(0).name(), "mock.files");
  const Finished many = Kept([&](Finished& finished) {
    for (int i = 0; i <= model::kMeasuresMax; ++i) count(finished, absl::StrCat("mock.count-", i));
  });
  EXPECT_EQ(many.measures_size(), model::kMeasuresMax);
}

TEST_F(DishonestHostTest, JudgesACopyOnlyInWordsAndNumbersThatMakeSense) {
  using agent::v1::Verdict;
  const auto sound = [] {
    Verdict verdict;
    verdict.set_set("lis");
    verdict.set_point("2022-08-12");
    verdict.set_verdict(v1::BACKUP_VERDICT_INTACT);
    verdict.set_manifest_sha256(crypto::Sha256("its manifest"));
    verdict.set_coverage(1);
    return verdict;
  };
  const std::function<void(Verdict&)> flaws[] = {
      [](Verdict& verdict) { verdict.set_set("../lis"); },
      [](Verdict& verdict) { verdict.set_point("a\nb"); },
      [](Verdict& verdict) { verdict.set_detail(std::string(4097, 'x')); },
      [](Verdict& verdict) { verdict.set_coverage(1.5); },
      [](Verdict& verdict) { verdict.set_coverage(std::nan("")); },
      [](Verdict& verdict) { verdict.set_taken_ms(-1); },
      [](Verdict& verdict) { verdict.set_verdict(v1::BACKUP_VERDICT_UNSPECIFIED); },
      [](Verdict& verdict) { verdict.set_verdict(static_cast<v1::BackupVerdict>(99)); },
      [](Verdict& verdict) { verdict.clear_manifest_sha256(); },  // Good for restoring, and bound to no files.
      [](Verdict& verdict) { verdict.set_manifest_sha256("short"); },
  };
  const Finished kept = Kept([&](Finished& finished) {
    for (const auto& flaw : flaws) flaw(*finished.add_verdicts() = sound());
    *finished.add_verdicts() = sound();
  });
  ASSERT_EQ(kept.verdicts_size(), 1);
  EXPECT_EQ(kept.verdicts(0).SerializeAsString(), sound().SerializeAsString());
  const Finished many = Kept([&](Finished& finished) {
    for (int i = 0; i <= model::kVerdictsMax; ++i) (*finished.add_verdicts() = sound()).set_point(absl::StrCat("copy-", i));
  });
  EXPECT_EQ(many.verdicts_size(), model::kVerdictsMax);
}

}  // namespace
}  // namespace reprise::engine
