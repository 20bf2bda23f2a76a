#include "tests/sim/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reprise::sim {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

// The first complaint within so many seeds; empty: the bug went unnoticed.
std::string FirstComplaint(const Bugs& bugs, uint64_t seeds) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const Outcome outcome = Simulate(seed, bugs);
    if (!outcome.complaint.empty()) return outcome.complaint;
  }
  return "";
}

TEST(Simulation, DoesTheSameAgainFromTheSameSeed) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome once = Simulate(seed), again = Simulate(seed);
    EXPECT_EQ(once.trace_hash, again.trace_hash);
    EXPECT_EQ(once.events, again.events);
  }
  EXPECT_NE(Simulate(1).trace_hash, Simulate(2).trace_hash);
}

TEST(Simulation, SeesTasksThatAreSentBeforeTheyAreDurable) {
  Bugs bugs;
  bugs.coordinator_effects_before_append = true;
  EXPECT_THAT(FirstComplaint(bugs, 20), AnyOf(HasSubstr("not in the journal"), HasSubstr("not durable")));
}

TEST(Simulation, SeesAnEffectThatBeginsBeforeItsIntentIsDurable) {
  Bugs bugs;
  bugs.agent_effects_before_append = true;
  EXPECT_THAT(FirstComplaint(bugs, 20), HasSubstr("before its intent was durable"));
}

TEST(Simulation, SeesAnEffectThatIsRepeatedWithoutAProbe) {
  Bugs bugs;
  bugs.no_probe_after_crash = true;
  EXPECT_THAT(FirstComplaint(bugs, 100), HasSubstr("without a probe"));
}

TEST(Simulation, SeesAGateThatTheRequesterOpened) {
  Bugs bugs;
  bugs.requester_counts_at_gates = true;
  EXPECT_THAT(FirstComplaint(bugs, 100), HasSubstr("without its quorum"));
}

TEST(Simulation, SeesAJournalThatLosesEvents) {
  Bugs bugs;
  bugs.journal_drops_events = true;
  EXPECT_NE(FirstComplaint(bugs, 50), "");
}

}  // namespace
}  // namespace reprise::sim
