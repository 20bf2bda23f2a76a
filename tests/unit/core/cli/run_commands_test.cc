#include "core/cli/commands/declarations.h"
#include "core/cli/commands/run_watcher.h"
#include "tests/unit/core/cli/plans.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<CommandRow> RunRows() {
  return {{"run", "start", "", DeclareRunStart}, {"run", "ls", "", DeclareRunLs},
          {"run", "show", "", DeclareRunShow},   {"run", "watch", "", DeclareRunWatch},
          {"run", "pause", "", DeclareRunPause}, {"run", "resume", "", DeclareRunResume},
          {"run", "abort", "", DeclareRunAbort}, {"run", "retry", "", DeclareRunRetry}};
}

ops::RunView Paused(uint32_t failed) {
  ops::RunView run = RunSeven();
  run.set_state(model::v1::RUN_STATE_PAUSED);
  run.set_pause_code("budget");
  run.set_pause_reason("2 of at most 1 failures");
  run.mutable_counts()->set_failed(failed);
  return run;
}

TEST(RunStart, StartsThePlanAndSaysHowToFollow) {
  Desk desk(RunRows());
  desk.coordinator.Answer("StartRun", RunSeven());
  EXPECT_EQ(desk.Run({"run", "start", "edr-00000000"}), kExitOk);
  EXPECT_EQ(desk.coordinator.Last<ops::StartRunRequest>("StartRun").plan_id(), "edr-00000000");
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("run 7"), HasSubstr("reprise run watch 7")));
}

TEST(RunStart, NamesWhoseSignatureHoldsBackARestore) {
  Desk desk(RunRows());
  HeldPlan plan(desk.people);
  Concede(plan);
  desk.coordinator.Answer("StartRun", RunSeven());
  desk.coordinator.Answer("GetPlan", plan.View({"alice"}));
  EXPECT_EQ(desk.Run({"run", "start", plan.id()}), kExitOk);
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("carol (concession sampled-planning about agiletime-db/2022-08-12)"),
                                HasSubstr("reprise approve edr-00000000")));
  desk.coordinator.Answer("GetPlan", plan.View({"alice", "carol"}));
  EXPECT_EQ(desk.Run({"run", "start", plan.id()}), kExitOk);
  EXPECT_EQ(desk.Err(), "");
}

TEST(RunStart, EndsAsRefusedWhenTooFewHaveSigned) {
  Desk desk(RunRows());
  desk.coordinator.Fail("StartRun", absl::PermissionDeniedError("plan edr-00000000 needs 2 signature(s)"));
  EXPECT_EQ(desk.Run({"run", "start", "edr-00000000", "--watch"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("needs 2 signature(s)"));
}

TEST(RunStart, WatchesToTheEndAndTakesItsExitCode) {
  Desk desk(RunRows());
  desk.coordinator.Answer("StartRun", RunSeven());
  desk.coordinator.Stream<ops::RunView>("WatchRun", {RunSeven(), Ended(RunSeven(), model::v1::RUN_STATE_PARTIAL, 1)});
  desk.coordinator.Answer("GetRun", Ended(RunSeven(), model::v1::RUN_STATE_PARTIAL, 1));
  EXPECT_EQ(desk.Run({"run", "start", "edr-00000000", "--watch"}), kExitPartial);
  EXPECT_THAT(desk.Out(),
              AllOf(HasSubstr("run 7 is partial"), HasSubstr("ws-002"), HasSubstr("no room on /var (disk_full)"),
                    HasSubstr("try: free 2 GB"), HasSubstr("reprise run retry 7")));
}

TEST(RunWatch, GivesEachEndItsExitCode) {
  const std::pair<model::v1::RunState, int> ends[] = {{model::v1::RUN_STATE_SUCCEEDED, kExitOk},
                                                      {model::v1::RUN_STATE_PARTIAL, kExitPartial},
                                                      {model::v1::RUN_STATE_FAILED, kExitFailure},
                                                      {model::v1::RUN_STATE_ABORTED, kExitFailure}};
  for (const auto& [state, code] : ends) {
    Desk desk(RunRows());
    desk.coordinator.Stream<ops::RunView>("WatchRun", {Ended(RunSeven(), state)});
    desk.coordinator.Answer("GetRun", Ended(RunSeven(), state));
    EXPECT_EQ(desk.Run({"run", "watch", "7"}), code) << model::NameOf(state);
  }
}

TEST(RunWatch, SaysWhereItStandsWhenTheTimeIsUp) {
  Desk desk(RunRows());
  desk.coordinator.Stream<ops::RunView>("WatchRun", {RunSeven()}, absl::DeadlineExceededError("too late"));
  EXPECT_EQ(desk.Run({"run", "watch", "7", "--timeout", "10s"}), kExitTimeout);
  EXPECT_EQ(desk.timeout_ms, 10'000);
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("run 7 has not ended"), HasSubstr("1 of 2 succeeded")));
}

TEST(RunWatch, DoesNotTakeACutForAnEnd) {
  for (const absl::Status& cut : {absl::OkStatus(), absl::UnavailableError("socket closed")}) {
    Desk desk(RunRows());
    desk.coordinator.Stream<ops::RunView>("WatchRun", {RunSeven()}, cut);
    EXPECT_EQ(desk.Run({"run", "watch", "7"}), kExitUnreachable);
    EXPECT_THAT(desk.Err(), HasSubstr("The run goes on without it"));
  }
}

TEST(RunWatch, TellsOnlyWhatChangesOnAPipe) {
  Desk desk(RunRows());
  ops::RunView waiting = RunSeven();
  *waiting.add_gates() = GateOfSeven();
  desk.coordinator.Stream<ops::RunView>("WatchRun",
                                        {waiting, waiting, waiting, Ended(waiting, model::v1::RUN_STATE_SUCCEEDED)});
  desk.coordinator.Answer("GetRun", Ended(waiting, model::v1::RUN_STATE_SUCCEEDED));
  EXPECT_EQ(desk.Run({"run", "watch", "7"}), kExitOk);
  const std::string out = desk.Out();
  EXPECT_THAT(out, HasSubstr("sound?  ->  `reprise gate approve 7 go`"));
  size_t times = 0;
  for (size_t at = out.find("waits for people"); at != std::string::npos; at = out.find("waits for people", at + 1))
    ++times;
  EXPECT_EQ(times, 1);
  EXPECT_THAT(out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(desk.Err(), Not(HasSubstr("\x1b")));
}

TEST(RunWatch, MovesBarsWhereAPersonLooksOn) {
  Desk desk(RunRows());
  desk.terminal.watched = true;
  desk.terminal.width = 100;
  desk.coordinator.Stream<ops::RunView>("WatchRun", {RunSeven(), Ended(RunSeven(), model::v1::RUN_STATE_SUCCEEDED)});
  desk.coordinator.Answer("GetRun", Ended(RunSeven(), model::v1::RUN_STATE_SUCCEEDED));
  EXPECT_EQ(desk.Run({"run", "watch", "7"}), kExitOk);
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("protect  [##########----------]  1/2  50 %  1:00 left  1 at work"),
                                HasSubstr("\x1b[2A\r\x1b[J")));  // Two lines, and they are taken away again.
}

TEST(RunWatch, GivesOneViewALineAsJson) {
  Desk desk(RunRows());
  desk.coordinator.Stream<ops::RunView>("WatchRun", {RunSeven(), Ended(RunSeven(), model::v1::RUN_STATE_SUCCEEDED)});
  EXPECT_EQ(desk.Run({"-o", "json", "run", "watch", "7"}), kExitOk);
  std::istringstream lines(desk.Out());
  std::vector<std::string> states;
  for (std::string line; std::getline(lines, line);) states.push_back(Json::parse(line)["state"]);
  EXPECT_THAT(states, ::testing::ElementsAre("running", "succeeded"));
}

TEST(RunShow, NamesWhoDidNotComeThroughAndWhoWasLeftOut) {
  Desk desk(RunRows());
  ops::RunView run = Ended(RunSeven(), model::v1::RUN_STATE_PARTIAL, 1);
  auto& fine = *run.add_targets();
  fine.set_host("ws-001");
  fine.set_state(model::v1::TARGET_STATE_SUCCEEDED);
  auto& left_out = *run.add_exclusions();
  left_out.set_host("ws-003");
  left_out.set_code("hold");
  left_out.set_reason("evidence hold: police");
  desk.coordinator.Answer("GetRun", run);
  EXPECT_EQ(desk.Run({"run", "show", "7"}), kExitOk);
  EXPECT_TRUE(desk.coordinator.Last<ops::GetRunRequest>("GetRun").targets());
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("ws-002"), HasSubstr("no room on /var"), HasSubstr("ws-003"),
                                HasSubstr("evidence hold: police"), Not(HasSubstr("ws-001"))));
  EXPECT_EQ(desk.Run({"run", "show", "7", "--targets", "all"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("ws-001"));
  EXPECT_EQ(desk.Run({"run", "show", "7", "--targets", "none"}), kExitOk);
  EXPECT_FALSE(desk.coordinator.Last<ops::GetRunRequest>("GetRun").targets());
}

TEST(RunShow, SaysWhyAHostWaits) {
  Desk desk(RunRows());
  ops::RunView run = RunSeven();
  run.mutable_stages(0)->add_waits_for("bubble.closed of gw-1: fails");
  const auto add = [&run](const char* host, const char* code, const char* reason) {
    auto& target = *run.add_targets();
    target.set_host(host);
    target.set_stage("protect");
    target.set_wave("wave-1");
    target.set_state(model::v1::TARGET_STATE_WAITING);
    target.set_code(code);
    target.set_reason(reason);
  };
  add("ws-001", "", "");
  add("ws-002", "hold", "evidence hold: police");
  desk.coordinator.Answer("GetRun", run);
  EXPECT_EQ(desk.Run({"run", "show", "7"}), kExitOk);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("evidence hold: police (hold)"), HasSubstr("reprise host release HOST"),
                                HasSubstr("stage protect waits for bubble.closed of gw-1"), Not(HasSubstr("ws-001"))));
  EXPECT_EQ(desk.Run({"run", "show", "7", "--targets", "all"}), kExitOk);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("ws-001"), HasSubstr("its stage waits for bubble.closed of gw-1: fails")));
}

TEST(RunShow, NeverSendsSomebodyToWaitForNobody) {
  Desk desk(RunRows());
  ops::RunView run = RunSeven();
  run.set_state(model::v1::RUN_STATE_CATCHING_UP);
  desk.coordinator.Answer("GetRun", run);
  EXPECT_EQ(desk.Run({"run", "show", "7"}), kExitOk);
  EXPECT_THAT(desk.Out(), Not(HasSubstr("next: ")));
}

TEST(RunShow, SendsNobodyToRetryWhatNoRetryMends) {
  Desk desk(RunRows());
  ops::RunView run = Ended(RunSeven(), model::v1::RUN_STATE_FAILED, 1);
  run.mutable_targets(0)->set_code("bad_params");
  desk.coordinator.Answer("GetRun", run);
  EXPECT_EQ(desk.Run({"run", "show", "7"}), kExitOk);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("next: make a new plan"), Not(HasSubstr("run retry"))));
}

TEST(RunShow, TellsWhatStepsProvedWhereNothingIsCut) {
  Desk desk(RunRows());
  ops::RunView run = Ended(RunSeven(), model::v1::RUN_STATE_SUCCEEDED);
  auto& target = *run.add_targets();
  target.set_host("srv-1");
  target.set_stage("restore");
  target.set_state(model::v1::TARGET_STATE_SUCCEEDED);
  auto& step = *target.add_steps();
  step.set_name("protocol");
  step.set_outcome(model::v1::OUTCOME_UNCHANGED);
  step.set_evidence_json(R"({"holds":true,"summary":"12 checks passed","evidence":[{"kind":"psql","text":"3 bases"}],)"
                         R"("observed":{"manifests":{"finance":"0a1b","patient":"2c3d"}}})");
  desk.coordinator.Answer("GetRun", run);
  EXPECT_EQ(desk.Run({"run", "show", "7", "--targets", "all", "-o", "wide"}), kExitOk);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("srv-1  restore/protocol  unchanged: 12 checks passed\n  psql: 3 bases\n"),
                                HasSubstr("  manifests.finance: 0a1b\n  manifests.patient: 2c3d\n")));
  EXPECT_EQ(desk.Run({"run", "show", "7", "--targets", "all"}), kExitOk);
  EXPECT_THAT(desk.Out(), Not(HasSubstr("12 checks")));
}

TEST(RunShow, LetsNoTextOfAHostMoveTheCursor) {
  Desk desk(RunRows());
  ops::RunView run = Ended(RunSeven(), model::v1::RUN_STATE_FAILED, 1);
  for (const char* mark : {"\x1b[2J", "\r\n", "\u202e", "\u200b"}) {
    run.mutable_targets(0)->set_reason(absl::StrCat("bad", mark, "srv-9 is well"));
    run.mutable_targets(0)->set_hint(absl::StrCat("wait", mark, "srv-9 is well"));
    desk.coordinator.Answer("GetRun", run);
    EXPECT_EQ(desk.Run({"run", "show", "7"}), kExitOk);
    EXPECT_THAT(desk.Out(), AllOf(HasSubstr("bad "), HasSubstr("wait "), Not(HasSubstr(mark)), Not(HasSubstr("\nsrv-9"))));
  }
}

TEST(RunLs, ListsRunsOrSaysThatThereIsNone) {
  Desk desk(RunRows());
  ops::RunList list;
  desk.coordinator.Answer("ListRuns", list);
  EXPECT_EQ(desk.Run({"run", "ls"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("no run was started yet"));
  *list.add_runs() = RunSeven();
  desk.coordinator.Answer("ListRuns", list);
  EXPECT_EQ(desk.Run({"run", "ls", "--active"}), kExitOk);
  EXPECT_TRUE(desk.coordinator.Last<ops::ListRunsRequest>("ListRuns").active_only());
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("edr-00000000"), HasSubstr("1 of 2 succeeded, 1 at work")));
  EXPECT_EQ(desk.Run({"run", "ls", "-o", "json"}), kExitOk);
  EXPECT_EQ(desk.OutJson()["runs"][0]["id"], 7);
}

TEST(RunPause, WantsAReason) {
  Desk desk(RunRows());
  desk.coordinator.Answer("PauseRun", Paused(0));
  EXPECT_EQ(desk.Run({"run", "pause", "7"}), kExitUsage);
  EXPECT_EQ(desk.Run({"run", "pause", "7", "--reason", "noon"}), kExitOk);
  EXPECT_EQ(desk.coordinator.Last<ops::ControlRunRequest>("PauseRun").reason(), "noon");
  EXPECT_THAT(desk.Out(), HasSubstr("`reprise run resume 7` goes on"));
  desk.coordinator.Answer("PauseRun", Paused(2));
  EXPECT_EQ(desk.Run({"run", "pause", "7", "--reason", "noon"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("`reprise run resume 7` accepts the failures so far"));
}

TEST(RunResume, AsksBeforeFailuresAreAccepted) {
  Desk desk(RunRows());
  desk.coordinator.Answer("GetRun", Paused(2));
  desk.coordinator.Answer("ResumeRun", RunSeven());
  desk.terminal.answers = {"n"};
  EXPECT_EQ(desk.Run({"run", "resume", "7"}), kExitFailure);
  EXPECT_TRUE(desk.coordinator.Heard<ops::ControlRunRequest>("ResumeRun").empty());
  EXPECT_THAT(desk.Err(), HasSubstr("2 of at most 1 failures"));
  desk.terminal.answers = {"y"};
  EXPECT_EQ(desk.Run({"run", "resume", "7"}), kExitOk);
  EXPECT_EQ(desk.coordinator.Heard<ops::ControlRunRequest>("ResumeRun").size(), 1);
}

TEST(RunResume, AsksNothingWhereNothingFailed) {
  Desk desk(RunRows());
  desk.coordinator.Answer("GetRun", Paused(0));
  desk.coordinator.Answer("ResumeRun", RunSeven());
  EXPECT_EQ(desk.Run({"run", "resume", "7"}), kExitOk);
  EXPECT_TRUE(desk.terminal.questions.empty());
}

TEST(RunAbort, AsksAndDoesNothingWithoutAYes) {
  Desk desk(RunRows());
  desk.coordinator.Answer("GetRun", RunSeven());
  desk.coordinator.Answer("AbortRun", Ended(RunSeven(), model::v1::RUN_STATE_ABORTED));
  EXPECT_EQ(desk.Run({"run", "abort", "7", "--reason", "wrong"}), kExitFailure);
  EXPECT_TRUE(desk.coordinator.Heard<ops::ControlRunRequest>("AbortRun").empty());
  EXPECT_EQ(desk.Run({"run", "abort", "7", "--reason", "wrong", "--yes"}), kExitOk);
  EXPECT_EQ(desk.coordinator.Last<ops::ControlRunRequest>("AbortRun").reason(), "wrong");
}

TEST(RunRetry, PassesOnWhyNothingCanBeTriedAgain) {
  Desk desk(RunRows());
  desk.coordinator.Fail("RetryRun", absl::FailedPreconditionError("nothing of run 7 can be tried again"));
  EXPECT_EQ(desk.Run({"run", "retry", "7"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("nothing of run 7 can be tried again"));
}

TEST(RunTeller, SaysOnceWhatAStageWaitsFor) {
  FakeTerminal terminal;
  ManualClock clock(kNoon);
  SystemRandom random;
  Context context(terminal, clock, random, nullptr);
  RunTeller teller(context);
  ops::RunView run = RunSeven();
  run.mutable_stages(0)->add_waits_for("bubble.closed of gw-1: never proven");
  teller.Tell(run);
  EXPECT_THAT(terminal.Out(), HasSubstr("stage protect waits for bubble.closed of gw-1: never proven"));
  terminal.Clear();
  teller.Tell(run);
  EXPECT_EQ(terminal.Out(), "");
}

TEST(RunTeller, TellsCountsOnAPipeNowAndThen) {
  FakeTerminal terminal;
  ManualClock clock(kNoon);
  SystemRandom random;
  Context context(terminal, clock, random, nullptr);
  RunTeller teller(context);
  ops::RunView run = RunSeven();
  teller.Tell(run);
  terminal.Clear();
  run.mutable_counts()->set_succeeded(2);
  teller.Tell(run);
  EXPECT_EQ(terminal.Out(), "");
  clock.Advance(2'000);
  teller.Tell(run);
  EXPECT_THAT(terminal.Out(), HasSubstr("2 of 2 succeeded"));
}

}  // namespace
}  // namespace reprise::cli::testing
