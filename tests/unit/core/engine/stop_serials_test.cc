// The emergency stop reaches every honest agent and is lifted for it, whatever a host in other hands says of its serial and
// whatever the agent missed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/model/authorization.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using model::kStopSerialStepMax;

class StopSerialsTest : public ::testing::Test {
 protected:
  // Believes what agents/engine/agent_engine.cc believes: nothing older, and no further than a step.
  struct Agent {
    uint64_t serial = 0;
    bool stopped = false;

    void Hear(const agent::v1::Stop& stop) {
      const bool beyond = stop.serial() > serial && stop.serial() - serial <= kStopSerialStepMax;
      const bool again = stop.serial() == serial && (stopped || !stop.active());
      if (!beyond && !again) return;
      serial = stop.serial();
      stopped = stop.active();
    }
  };

  void Connect(const std::string& host, const Agent& agent) {
    agent::v1::Hello hello;
    hello.set_stop_serial(agent.serial);
    hello.set_stopped(agent.stopped);
    hospital.sent[host].clear();
    hospital.Connect(host, hello);
    agents[host] = agent;
    Deliver(host);
  }
  void Deliver(const std::string& host) {
    for (const auto& message : hospital.SentTo(host)) {
      if (message.has_stop()) agents[host].Hear(message.stop());
    }
    hospital.sent[host].clear();
  }
  // Everybody who is connected stands still, and goes on.
  void ExpectStopAndLiftReach(const std::vector<std::string>& hosts) {
    ASSERT_OK(hospital.Do("bob", Command::RaiseStop{"smoke"}));
    for (const auto& host : hosts) {
      Deliver(host);
      EXPECT_TRUE(agents[host].stopped) << host;
      Confirm(host);
    }
    EXPECT_EQ(Stop().confirmed_size(), static_cast<int>(hosts.size()));
    ASSERT_OK(hospital.Do("bob", Command::LiftStop{"clear"}));
    for (const auto& host : hosts) {
      Deliver(host);
      EXPECT_FALSE(agents[host].stopped) << host;
    }
  }
  void Confirm(const std::string& host) {
    agent::v1::AgentMessage message;
    message.mutable_stop_confirmed()->set_serial(agents[host].serial);
    hospital.Say(host, message);
  }
  const journal::v1::StopRecord& Stop() { return hospital.engine.state().stop(); }

  std::map<std::string, Agent> agents;
  Hospital hospital{3};
};

TEST_F(StopSerialsTest, AreNotClimbedByOneHostHelloByHello) {
  Connect("ws-001", {});
  for (int round = 1; round <= 5; ++round) {
    for (const uint64_t step : {1, 2, 3}) {
      agent::v1::Hello hello;
      hello.set_stop_serial(Stop().serial() + step * kStopSerialStepMax);
      hospital.Connect("ws-002", hello);
    }
    EXPECT_LE(Stop().seen_serial(), Stop().serial() + kStopSerialStepMax);
    ExpectStopAndLiftReach({"ws-001"});
  }
  Connect("ws-003", {});  // Joined, or came back, after all that.
  ExpectStopAndLiftReach({"ws-001", "ws-003"});
  hospital.Crash();
  Connect("ws-003", agents["ws-003"]);
  ExpectStopAndLiftReach({"ws-003"});
}

TEST_F(StopSerialsTest, ReachAnAgentThatMissedMoreThanAStepWhileAStopIsInForce) {
  agent::v1::Hello hello;
  for (int i = 0; i < 4; ++i) {
    hello.set_stop_serial(Stop().serial() + kStopSerialStepMax);
    hospital.Connect("ws-002", hello);
    ASSERT_OK(hospital.Do("bob", Command::RaiseStop{"smoke"}));
    if (i < 3) {
      ASSERT_OK(hospital.Do("bob", Command::LiftStop{"clear"}));
    }
  }
  hospital.Disconnect("ws-001");
  hospital.Forget();
  Connect("ws-001", {});
  EXPECT_TRUE(agents["ws-001"].stopped);
  EXPECT_LT(agents["ws-001"].serial, Stop().serial());
  Confirm("ws-001");
  ASSERT_EQ(Stop().confirmed_size(), 1) << "it confirms what it was told";
  EXPECT_EQ(Stop().confirmed(0).serial(), Stop().serial());
  ASSERT_OK(hospital.Do("bob", Command::LiftStop{"clear"}));
  Deliver("ws-001");
  EXPECT_FALSE(agents["ws-001"].stopped);
}

// Restored from an older copy, or after a thief who climbed: the agent truly knows far more.
TEST_F(StopSerialsTest, ReachAnAgentThatKnowsFarMoreThanTheCoordinator) {
  for (const uint64_t known : {uint64_t{7}, uint64_t{1'000'000}}) {
    Connect("ws-001", {.serial = known, .stopped = true});
    EXPECT_TRUE(agents["ws-001"].stopped) << "nobody lifted it here";
    ASSERT_OK(hospital.Do("bob", Command::LiftStop{"clear"}));
    Deliver("ws-001");
    EXPECT_FALSE(agents["ws-001"].stopped);
    ExpectStopAndLiftReach({"ws-001"});
  }
  EXPECT_FALSE(hospital.Do("bob", Command::LiftStop{"again"}).ok()) << "nobody stands still";
  Connect("ws-002", {.serial = std::numeric_limits<uint64_t>::max()});
  Connect("ws-001", agents["ws-001"]);
  ExpectStopAndLiftReach({"ws-001"});
}

}  // namespace
}  // namespace reprise::engine
