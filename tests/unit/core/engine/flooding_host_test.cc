// A host in other hands that says much: it fills no journal and holds nobody up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using ::testing::HasSubstr;

class FloodingHostTest : public ::testing::Test {
 protected:
  // Whether they were written down.
  bool SayFacts(const std::string& facts) {
    agent::v1::AgentMessage message;
    message.mutable_facts()->set_facts_json(facts);
    const size_t events = hospital.journal.size();
    hospital.Say("ws-001", message);
    return hospital.journal.size() > events;
  }
  bool LetsIn(const agent::v1::Hello& hello) {
    hospital.dropped.clear();
    hospital.Connect("ws-001", hello);
    const uint64_t session = hospital.sessions["ws-001"];
    return hospital.engine.FindHost("ws-001")->session() == session;
  }

  Hospital hospital{2};
};

TEST_F(FloodingHostTest, HasNewFactsOnlyAsOftenAsTheirSizeAllows) {
  const std::string large((1 << 20) - 1, 'x');
  EXPECT_TRUE(SayFacts(large + "0"));
  for (int i = 1; i < 100; ++i) EXPECT_FALSE(SayFacts(absl::StrCat(large, i % 10 == 0 ? 1 : i % 10)));
  EXPECT_FALSE(SayFacts(std::string(20 << 10, 'y')));
  hospital.now += 10'000;
  EXPECT_TRUE(SayFacts(std::string(20 << 10, 'y'))) << "small ones cost little";
  hospital.Connect("ws-001");
  EXPECT_FALSE(SayFacts(large + "1")) << "another session is no way round it";
  hospital.now += 9 * 60'000;
  EXPECT_TRUE(SayFacts(large + "1"));
  hospital.now -= kHour;
  EXPECT_TRUE(SayFacts(large + "2")) << "the clock was set back";
}

TEST_F(FloodingHostTest, NamesNoMoreTasksThanAnAgentCanHave) {
  agent::v1::Hello hello;
  for (int i = 0; i < 1024; ++i) hello.add_in_flight()->set_run(999);
  EXPECT_TRUE(LetsIn(hello));
  EXPECT_EQ(hospital.engine.FindHost("ws-001")->unknown_tasks(), 1024u);
  const uint64_t session = hospital.sessions["ws-001"];
  hello.add_in_flight()->set_run(999);
  const size_t events = hospital.journal.size();
  EXPECT_FALSE(LetsIn(hello));
  ASSERT_EQ(hospital.dropped.size(), 1u);
  EXPECT_THAT(hospital.dropped[0].reason, HasSubstr("more tasks"));
  EXPECT_EQ(hospital.journal.size(), events);
  EXPECT_EQ(hospital.engine.FindHost("ws-001")->session(), session) << "the one before is not disturbed";
  hello.clear_in_flight();
  for (int i = 0; i <= 4096; ++i) hello.add_plans("p");
  EXPECT_FALSE(LetsIn(hello));
}

}  // namespace
}  // namespace reprise::engine
