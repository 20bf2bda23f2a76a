#include "core/model/moves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/model/names.h"
#include "tests/support/files.h"
#include "tests/support/status_matchers.h"

namespace reprise::model {
namespace {

using reprise::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename State>
void ExpectAllReachable(const std::string& machine, const std::string& first) {
  std::set<std::string> reached = {first};
  for (bool grew = true; grew;) {
    grew = false;
    for (const DrawnMove& move : MovesOf(machine)) {
      if (reached.contains(move.from)) grew |= reached.insert(move.to).second;
    }
  }
  for (const std::string& name : NamesOf<State>()) {
    EXPECT_TRUE(reached.contains(name)) << machine << " never gets " << name;
  }
}

TEST(Moves, ReachEveryStateFromTheFirst) {
  ExpectAllReachable<v1::TaskState>("task", "pending");
  ExpectAllReachable<v1::TargetState>("target", "waiting");
  ExpectAllReachable<v1::WaveState>("wave", "pending");
  ExpectAllReachable<v1::StageState>("stage", "pending");
  ExpectAllReachable<v1::GateState>("gate", "locked");
  ExpectAllReachable<v1::RunState>("run", "running");
}

TEST(Moves, GiveOneNextStateForEachPair) {
  for (const std::string& machine : MachineNames()) {
    std::set<std::pair<std::string, std::string>> pairs;
    for (const DrawnMove& move : MovesOf(machine)) {
      EXPECT_TRUE(pairs.insert({move.from, move.event}).second) << machine << ": " << move.from << ", " << move.event;
    }
    EXPECT_FALSE(pairs.empty()) << machine;
  }
}

TEST(Moves, NameThingStateAndEventOfAPairThatIsMissing) {
  EXPECT_THAT(Move(v1::TASK_STATE_SUCCEEDED, TaskEvent::kDispatched).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("task"), HasSubstr("succeeded"), HasSubstr("dispatched"))));
  EXPECT_THAT(Move(v1::RUN_STATE_ABORTED, RunEvent::kRetried).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("run"), HasSubstr("aborted"), HasSubstr("retried"))));
}

TEST(Moves, LeadNowhereFromWhatIsOverForGood) {
  for (const DrawnMove& move : MovesOf("run")) EXPECT_NE(move.from, "aborted");
  for (const DrawnMove& move : MovesOf("run")) EXPECT_NE(move.from, "succeeded");
  for (const DrawnMove& move : MovesOf("target")) EXPECT_NE(move.from, "expired");
  for (const DrawnMove& move : MovesOf("target")) EXPECT_NE(move.from, "cancelled");
}

TEST(Moves, KnowNoOtherMachine) {
  EXPECT_THAT(MovesOf("coffee"), IsEmpty());
}

TEST(Moves, AreDrawnAsATableGroupedByState) {
  EXPECT_THAT(DrawMoves("gate"), HasSubstr("| ready | passed ▶ passed · waived ▶ waived |\n"));
}

// To mend it: paste what DrawMoves gives for each machine into the section "State tables".
TEST(Moves, StandInTheArchitectureAsTheyAre) {
  const std::string text = Slurp(SourceFolder() / "docs/ARCHITECTURE.md");
  for (const std::string& machine : MachineNames()) EXPECT_THAT(text, HasSubstr(DrawMoves(machine)));
}

}  // namespace
}  // namespace reprise::model
