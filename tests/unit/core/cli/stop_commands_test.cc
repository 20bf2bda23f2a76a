#include "core/cli/commands/declarations.h"
#include "tests/unit/core/cli/plans.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<CommandRow> StopRows() {
  return {{"stop", "raise", "", DeclareStopRaise},
          {"stop", "lift", "", DeclareStopLift},
          {"stop", "show", "", DeclareStopShow}};
}

ops::StopView Stop(uint32_t confirmed) {
  ops::StopView stop;
  stop.set_serial(3);
  stop.set_active(true);
  stop.set_by("alice");
  stop.set_reason("loop");
  stop.set_raised_ms(kNoon);
  stop.set_asked(12);
  stop.set_confirmed(confirmed);
  stop.set_killed(4);
  stop.set_latency_p50_ms(11);
  stop.set_latency_max_ms(31);
  return stop;
}

TEST(StopRaise, AsksNothingAndTellsTheMeasuredLatency) {
  Desk desk(StopRows());
  desk.coordinator.Answer("RaiseStop", Stop(0));
  int looks = 0;
  desk.coordinator.On<ops::Empty, ops::StopView>(
      "GetStop", [&](const ops::Empty&) -> absl::StatusOr<ops::StopView> { return Stop(++looks == 1 ? 5 : 12); });
  EXPECT_EQ(desk.Run({"stop", "raise", "--reason", "loop"}), kExitOk);
  EXPECT_TRUE(desk.terminal.questions.empty());
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(desk.coordinator.Last<ops::StopRequest>("RaiseStop").reason(), "loop");
  EXPECT_THAT(desk.Out(),
              AllOf(HasSubstr("12 of 12"), HasSubstr("p50 11 ms, max 31 ms"), HasSubstr("4 action(s) killed")));
}

TEST(StopRaise, IsPartialWhenSomeHaveNotConfirmedInTime) {
  Desk desk(StopRows());
  desk.coordinator.Answer("RaiseStop", Stop(0));
  desk.coordinator.Answer("GetStop", Stop(11));
  EXPECT_EQ(desk.Run({"stop", "raise", "--reason", "loop", "--wait", "200ms"}), kExitPartial);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("11 of 12"), HasSubstr("1 have not confirmed yet")));
}

TEST(StopRaise, IsRaisedAlsoWhenItsCourseCannotBeHeardOf) {
  Desk desk(StopRows());
  desk.coordinator.Answer("RaiseStop", Stop(2));
  desk.coordinator.Fail("GetStop", absl::UnavailableError("gone"));
  EXPECT_EQ(desk.Run({"stop", "raise", "--reason", "loop"}), kExitPartial);
  EXPECT_THAT(desk.Out(), HasSubstr("EMERGENCY STOP IN FORCE"));
}

TEST(StopRaise, WantsAReason) {
  Desk desk(StopRows());
  EXPECT_EQ(desk.Run({"stop", "raise"}), kExitUsage);
  EXPECT_TRUE(desk.coordinator.Methods().empty());
}

TEST(StopLift, AsksAndNamesTheRunsThatStayPaused) {
  Desk desk(StopRows());
  desk.coordinator.Answer("GetStop", Stop(12));
  desk.coordinator.Answer("LiftStop", Stop(12));
  ops::RunList runs;
  *runs.add_runs() = RunSeven();
  runs.mutable_runs(0)->set_state(model::v1::RUN_STATE_PAUSED);
  desk.coordinator.Answer("ListRuns", runs);
  desk.terminal.answers = {"no"};
  EXPECT_EQ(desk.Run({"stop", "lift"}), kExitFailure);
  EXPECT_TRUE(desk.coordinator.Heard<ops::StopRequest>("LiftStop").empty());
  desk.terminal.answers = {"yes"};
  EXPECT_EQ(desk.Run({"stop", "lift"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("reprise run resume 7"));
}

TEST(StopShow, TellsTheNewestOrThatThereWasNone) {
  Desk desk(StopRows());
  desk.coordinator.Answer("GetStop", ops::StopView());
  EXPECT_EQ(desk.Run({"stop", "show"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("no emergency stop was ever raised"));
  desk.coordinator.Answer("GetStop", Stop(12));
  EXPECT_EQ(desk.Run({"stop", "show", "-o", "json"}), kExitOk);
  EXPECT_EQ(desk.OutJson()["latency_max_ms"], 31);
}

}  // namespace
}  // namespace reprise::cli::testing
