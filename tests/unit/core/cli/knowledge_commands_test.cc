// coverage, events, report: what people ask when they want to know.
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/event_text.h"
#include "tests/unit/core/cli/plans.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<CommandRow> KnowledgeRows() {
  return {{"", "coverage", "", DeclareCoverage},
          {"", "events", "", DeclareEvents},
          {"report", "run", "", DeclareReportRun},
          {"report", "coverage", "", DeclareReportCoverage}};
}

ops::CoverageView Coverage(uint32_t holds, uint32_t inventory) {
  ops::CoverageView view;
  view.set_claim("edr.protected");
  view.set_selector("class == workstation");
  view.set_inventory(inventory);
  view.set_holds(holds);
  view.set_unknown(inventory - holds);
  view.set_exempt(2);
  for (uint32_t i = holds; i < inventory; ++i) {
    auto& gap = *view.add_gaps();
    gap.set_host(absl::StrCat("ws-00", i));
    gap.set_state(model::v1::CLAIM_STATE_UNKNOWN);
    gap.set_code("not_enrolled");
    gap.set_reason("never joined");
  }
  return view;
}

TEST(Coverage, NamesEveryGapAndTheDenominator) {
  Desk desk(KnowledgeRows());
  desk.coordinator.Answer("GetCoverage", Coverage(2, 3));
  EXPECT_EQ(desk.Run({"coverage", "--max-age", "24h"}), kExitPartial);
  const auto asked = desk.coordinator.Last<ops::CoverageRequest>("GetCoverage");
  EXPECT_EQ(asked.claim(), "edr.protected");
  EXPECT_EQ(asked.max_age_ms(), 24 * kHour);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("2 of 3 hosts (66.6 %)"), HasSubstr("2 exempt"), HasSubstr("ws-002"),
                                HasSubstr("never joined")));
}

TEST(Coverage, NamesFirstOfWhomSomethingIsKnown) {
  Desk desk(KnowledgeRows());
  ops::CoverageView view = Coverage(0, 2);
  view.mutable_gaps(0)->set_code("not_planned");
  view.mutable_gaps(1)->set_code("failed");
  desk.coordinator.Answer("GetCoverage", view);
  EXPECT_EQ(desk.Run({"coverage"}), kExitPartial);
  EXPECT_LT(desk.Out().find("ws-001"), desk.Out().find("ws-000"));
}

TEST(Coverage, IsWholeOnlyWhenEveryHostIsCovered) {
  Desk desk(KnowledgeRows());
  desk.coordinator.Answer("GetCoverage", Coverage(3, 3));
  EXPECT_EQ(desk.Run({"coverage"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("3 of 3 hosts (100.0 %)"));
  EXPECT_EQ(desk.Run({"coverage", "-o", "json"}), kExitOk);
  EXPECT_EQ(desk.OutJson()["holds"], 3);
}

TEST(Coverage, TakesNobodyOutOfNobodyForNoProof) {
  Desk desk(KnowledgeRows());
  desk.coordinator.Answer("GetCoverage", Coverage(0, 0));
  EXPECT_EQ(desk.Run({"coverage", "--selector", "class == server"}), kExitPartial);
  EXPECT_THAT(desk.Out(), HasSubstr("no host of the inventory matches"));
}

// A coordinator of one host, which has made one claim.
struct Mistyped : Desk {
  explicit Mistyped(const std::string& claim, const std::string& code) : Desk(KnowledgeRows()) {
    ops::CoverageView view = Coverage(0, 2);
    view.set_claim(claim);
    for (auto& gap : *view.mutable_gaps()) gap.set_code(code);
    coordinator.Answer("GetCoverage", view);
    ops::HostList hosts;
    hosts.add_hosts()->add_claims()->set_name("pharmax.degraded");
    coordinator.Answer("ListHosts", hosts);
  }
};

TEST(Coverage, SaysThatNobodyEverMadeAClaimAndWhichIsNear) {
  Mistyped desk("pharmax.degarded", "not_planned");
  EXPECT_EQ(desk.Run({"coverage", "--claim", "pharmax.degarded"}), kExitPartial);
  EXPECT_THAT(desk.Err(), HasSubstr("no host has ever made the claim \"pharmax.degarded\", and no run was ever meant to bring it "
                                    "about; did you mean pharmax.degraded?"));
  EXPECT_EQ(desk.Out(), "") << "a list of everybody would hide it";
  EXPECT_EQ(desk.Run({"coverage", "--claim", "pharmax.degarded", "-o", "json"}), kExitPartial);
  EXPECT_EQ(desk.OutJson()["holds"], 0);
}

TEST(Coverage, ListsWhatWasClaimedWhereNothingIsNear) {
  Mistyped desk("nope.nope", "not_planned");
  EXPECT_EQ(desk.Run({"coverage", "--claim", "nope.nope"}), kExitPartial);
  EXPECT_THAT(desk.Err(), HasSubstr("made so far: pharmax.degraded"));
}

TEST(Coverage, NamesEverybodyOfAClaimThatARunWasMeantToBringAbout) {
  Mistyped desk("pharmax.in_test", "in_progress");
  EXPECT_EQ(desk.Run({"coverage", "--claim", "pharmax.in_test"}), kExitPartial);
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("no host has ever made the claim"), Not(HasSubstr("no run was ever meant"))));
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("0 of 2 hosts"), HasSubstr("ws-001")));
}

TEST(Coverage, SaysNothingOfTheKindWhereAHostMadeTheClaim) {
  Mistyped desk("pharmax.degraded", "not_planned");
  EXPECT_EQ(desk.Run({"coverage", "--claim", "pharmax.degraded"}), kExitPartial);
  EXPECT_EQ(desk.Err(), "");
}

TEST(Coverage, RefusesASelectorThatDoesNotParse) {
  Desk desk(KnowledgeRows());
  EXPECT_EQ(desk.Run({"coverage", "--selector", "class ="}), kExitUsage);
  EXPECT_TRUE(desk.coordinator.Methods().empty());
}

ops::JournalRecord Record(uint64_t sequence, const std::function<void(journal::v1::Event&)>& fill) {
  ops::JournalRecord record;
  record.set_sequence(sequence);
  record.mutable_event()->set_at_ms(kNoon);
  record.mutable_event()->set_actor("coordinator");
  fill(*record.mutable_event());
  return record;
}

ops::JournalRecord Finished(uint64_t sequence) {
  return Record(sequence, [](auto& event) {
    auto& finished = *event.mutable_task_finished();
    finished.set_run(7);
    finished.set_host(1);
    finished.mutable_finished()->set_outcome(model::v1::OUTCOME_FAILED);
    finished.mutable_finished()->set_reason("no room");
    finished.mutable_finished()->set_duration_ms(1'200);
    finished.set_target_state(model::v1::TARGET_STATE_FAILED);
  });
}

TEST(Events, NamesHostsAndStepsOfAPlanThatIsAskedForOnce) {
  Desk desk(KnowledgeRows());
  const HeldPlan plan(desk.people);
  desk.coordinator.Stream<ops::JournalRecord>("ReadJournal", {Finished(40), Finished(41)});
  desk.coordinator.Answer("GetRun", RunSeven());
  desk.coordinator.Answer("GetPlan", plan.View());
  EXPECT_EQ(desk.Run({"events", "--from", "40"}), kExitOk);
  EXPECT_THAT(desk.Out(),
              AllOf(HasSubstr("40  "), HasSubstr("run 7: ws-002 protect/install ended failed in 1s200ms: no room"),
                    HasSubstr("the host is failed")));
  EXPECT_EQ(desk.coordinator.Heard<ops::PlanRequest>("GetPlan").size(), 1);
  // Taken up again where it was left.
  const auto reads = desk.coordinator.Heard<ops::ReadJournalRequest>("ReadJournal");
  ASSERT_EQ(reads.size(), 2);
  EXPECT_EQ(reads[1].from(), 40);
}

TEST(Events, TellsNumbersWhereThePlanIsNotToBeHad) {
  Desk desk(KnowledgeRows());
  desk.coordinator.Stream<ops::JournalRecord>("ReadJournal", {Finished(40)});
  desk.coordinator.Fail("GetRun", absl::NotFoundError("none"));
  EXPECT_EQ(desk.Run({"events", "--from", "40"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("run 7: host 1 stage 0/step 0 ended failed"));
}

TEST(Events, BeginsWithTheNewestFifty) {
  Desk desk(KnowledgeRows());
  ops::StatusView status;
  status.set_journal_events(1'000);
  desk.coordinator.Answer("GetStatus", status);
  desk.coordinator.Stream<ops::JournalRecord>("ReadJournal", {});
  EXPECT_EQ(desk.Run({"events", "--follow"}), kExitOk);
  const auto read = desk.coordinator.Last<ops::ReadJournalRequest>("ReadJournal");
  EXPECT_EQ(read.from(), 951);
  EXPECT_TRUE(read.follow());
}

TEST(Events, GivesOneEventALineAsJson) {
  Desk desk(KnowledgeRows());
  desk.coordinator.Stream<ops::JournalRecord>("ReadJournal", {Finished(40), Finished(41)});
  EXPECT_EQ(desk.Run({"events", "--from", "40", "-o", "json"}), kExitOk);
  std::istringstream lines(desk.Out());
  std::vector<uint64_t> sequences;
  for (std::string line; std::getline(lines, line);) sequences.push_back(Json::parse(line)["sequence"]);
  EXPECT_THAT(sequences, ::testing::ElementsAre(40, 41));
}

TEST(EventText, HasWordsForEveryKindOfEvent) {
  const auto* kinds = journal::v1::Event::descriptor()->oneof_decl(0);
  for (int i = 0; i < kinds->field_count(); ++i) {
    journal::v1::Event event;
    auto* body = event.GetReflection()->MutableMessage(&event, kinds->field(i));
    if (const auto* run = body->GetDescriptor()->FindFieldByName("run")) body->GetReflection()->SetUInt64(body, run, 7);
    EXPECT_THAT(TextOfEvent(event, PlanNames()), AllOf(Not(HasSubstr("does not know")), Not(::testing::IsEmpty())))
        << kinds->field(i)->name();
  }
}

TEST(Report, SpeaksFrenchUnlessToldOtherwise) {
  Desk desk(KnowledgeRows());
  desk.coordinator.Answer("GetRun", Ended(RunSeven(), model::v1::RUN_STATE_PARTIAL, 1));
  desk.coordinator.Answer("GetCoverage", Coverage(2, 3));
  EXPECT_EQ(desk.Run({"report", "run", "7"}), kExitOk);
  const std::string french = desk.Out();
  EXPECT_EQ(desk.Run({"report", "run", "7", "--lang", "en"}), kExitOk);
  EXPECT_NE(french, desk.Out());
  EXPECT_THAT(french, HasSubstr("no room on /var"));
  EXPECT_TRUE(desk.coordinator.Last<ops::GetRunRequest>("GetRun").targets());
  EXPECT_EQ(desk.Run({"report", "coverage", "--lang", "en"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("ws-002"));
  EXPECT_EQ(desk.Run({"report", "coverage", "--lang", "de"}), kExitUsage);
}

}  // namespace
}  // namespace reprise::cli::testing
