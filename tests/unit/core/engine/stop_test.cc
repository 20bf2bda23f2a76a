#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StopTest : public ::testing::Test {
 protected:
  StopTest() {
    auto& stage = draft.AddStage("protect", {3});
    stage.set_in_flight_max(1);
    draft.AddStep(stage, "install");
    hospital.Launch(draft);
  }
  void Confirm(const std::string& host, uint64_t serial, uint32_t killed) {
    agent::v1::AgentMessage message;
    message.mutable_stop_confirmed()->set_serial(serial);
    message.mutable_stop_confirmed()->set_killed(killed);
    hospital.Say(host, message);
  }
  std::vector<std::pair<uint64_t, bool>> StopsTo(const std::string& host) {
    std::vector<std::pair<uint64_t, bool>> stops;
    for (const auto& message : hospital.SentTo(host)) {
      if (message.has_stop()) stops.emplace_back(message.stop().serial(), message.stop().active());
    }
    return stops;
  }
  const journal::v1::StopRecord& Stop() { return hospital.engine.state().stop(); }

  Hospital hospital{3};
  PlanDraft draft{hospital.people};
};

TEST_F(StopTest, ReachesEveryAgentPausesEveryRunAndMeasures) {
  const auto task = hospital.Take("ws-001");
  ASSERT_OK(hospital.Do("bob", Command::RaiseStop{"smoke"}));
  EXPECT_EQ(hospital.RunOf().pause_code(), "stop");
  EXPECT_THAT(StopsTo("ws-003"), ElementsAre(std::pair(1u, true)));
  EXPECT_EQ(Stop().asked(), 3u);
  hospital.now += 250;
  Confirm("ws-001", 1, 1);
  Confirm("ws-001", 1, 1);
  ASSERT_EQ(Stop().confirmed_size(), 1);
  EXPECT_EQ(Stop().confirmed(0).latency_ms(), 250);
  hospital.Finish(task, "ws-001", v1::OUTCOME_CANCELLED, "stopped");
  EXPECT_EQ(hospital.Target(1).task(), v1::TASK_STATE_PENDING) << "no failure";
  EXPECT_THAT(hospital.Busy(), IsEmpty());
}

TEST_F(StopTest, LetsNoHostUseUpTheSerials) {
  for (const uint64_t said : {std::numeric_limits<uint64_t>::max(), std::numeric_limits<uint64_t>::max() - 1}) {
    agent::v1::Hello hello;
    hello.set_stop_serial(said);
    hospital.Connect("ws-002", hello);
  }
  ASSERT_OK(hospital.Do("bob", Command::RaiseStop{"smoke"}));
  EXPECT_EQ(Stop().serial(), 1u);
  ASSERT_OK(hospital.Do("alice", Command::LiftStop{}));
  EXPECT_EQ(Stop().serial(), 2u);
}

TEST_F(StopTest, StartsNothingUntilLiftedAndThenOnlyWhatPeopleResume) {
  const auto task = hospital.Take("ws-001");
  ASSERT_OK(hospital.Do("bob", Command::RaiseStop{"smoke"}));
  hospital.Finish(task, "ws-001", v1::OUTCOME_CANCELLED, "stopped");
  EXPECT_FALSE(hospital.Do("bob", Command::Resume{1}).ok());
  EXPECT_FALSE(hospital.Do("bob", Command::Retry{1}).ok());
  ASSERT_OK(hospital.Do("bob", Command::LiftStop{"clear"}));
  EXPECT_THAT(StopsTo("ws-001"), ElementsAre(std::pair(1u, true), std::pair(2u, false)));
  EXPECT_THAT(hospital.Busy(), IsEmpty());
  ASSERT_OK(hospital.Do("bob", Command::Resume{1}));
  EXPECT_EQ(hospital.Take("ws-001").key().attempt(), 2u);
  EXPECT_FALSE(hospital.Do("bob", Command::LiftStop{"again"}).ok());
}

TEST_F(StopTest, DoesNotSpendATryOnWhatAStopEnded) {
  draft.header.mutable_stages(0);
  const auto task = hospital.Take("ws-001");
  ASSERT_OK(hospital.Do("bob", Command::RaiseStop{"smoke"}));
  hospital.Finish(task, "ws-001", v1::OUTCOME_INTERRUPTED, "stopped");
  EXPECT_EQ(hospital.Target(1).round_first_attempt(), 2u);
}

TEST_F(StopTest, IsToldToAnAgentThatConnectsWhileItIsInForceAndItsEndToOneThatMissedIt) {
  hospital.Disconnect("ws-002");
  ASSERT_OK(hospital.Do("bob", Command::RaiseStop{"smoke"}));
  hospital.Connect("ws-002");
  EXPECT_THAT(StopsTo("ws-002"), ElementsAre(std::pair(1u, true)));
  hospital.Disconnect("ws-002");
  ASSERT_OK(hospital.Do("bob", Command::LiftStop{"clear"}));
  hospital.Forget();
  agent::v1::Hello hello;
  hello.set_stop_serial(1);
  hello.set_stopped(true);
  hospital.Connect("ws-002", hello);
  EXPECT_THAT(StopsTo("ws-002"), ElementsAre(std::pair(2u, false)));
}

TEST_F(StopTest, GoesBeyondWhatAnyAgentHasHeardOf) {
  hospital.Disconnect("ws-002");
  agent::v1::Hello hello;
  hello.set_stop_serial(7);  // From a life of the coordinator that its restored copy does not know.
  hello.set_stopped(true);
  hospital.Connect("ws-002", hello);
  ASSERT_OK(hospital.Do("bob", Command::LiftStop{"clear"}));
  EXPECT_THAT(StopsTo("ws-002"), ElementsAre(std::pair(8u, false)));
  ASSERT_OK(hospital.Do("bob", Command::RaiseStop{"smoke"}));
  EXPECT_EQ(Stop().serial(), 9u);
}

}  // namespace
}  // namespace reprise::engine
