// A coordinator that was started from an older copy of its folder: its agents know more than its journal says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/engine/hosts_ahead.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using reprise::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

class OlderCopyTest : public ::testing::Test {
 protected:
  agent::v1::Hello Hello(uint32_t keyring, uint64_t statement) const {
    agent::v1::Hello hello;
    hello.set_keyring_version(keyring);
    hello.set_host_statement_serial(statement);
    return hello;
  }
  absl::Status Extend(const plan::v1::SignedStatement& next) {
    operators::v1::ExtendKeyringRequest request;
    *request.mutable_statement() = next;
    return hospital.Do("alice", request);
  }
  absl::Status State(const std::string& host, uint64_t serial) {
    operators::v1::HostStatementsRequest request;
    *request.add_statements() =
        agents::testing::Admission(hospital.people, host, [&](auto& statement) { statement.serial = serial; });
    return hospital.Do("alice", request);
  }
  void BringBack(const std::string& host, const std::vector<plan::v1::SignedStatement>& statements) {
    for (const auto& statement : statements) {
      agent::v1::AgentMessage message;
      *message.mutable_keyring()->add_statements() = statement;
      hospital.Say(host, message);
    }
  }
  uint32_t Ahead() const { return CountAhead(hospital.engine.state()); }
  std::string Known(const std::string& host) const {
    return DescribeAhead(hospital.engine.state(), *hospital.engine.FindHost(host));
  }
  uint32_t Version() const { return hospital.engine.keyring()->version(); }

  Hospital hospital{2};
};

TEST_F(OlderCopyTest, IsNotSuspectedWhileAgentsKnowNoMore) {
  hospital.Connect("ws-001", Hello(1, 1));
  EXPECT_EQ(Ahead(), 0u);
  EXPECT_EQ(Known("ws-001"), "");
}

TEST_F(OlderCopyTest, KnowsItWhenAnAgentHasANewerKeyringAndForksNothing) {
  hospital.Connect("ws-001", Hello(3, 1));
  hospital.Connect("ws-002", Hello(2, 1));
  EXPECT_EQ(Ahead(), 2u);
  EXPECT_EQ(Known("ws-001"), "ws-001 has keyring version 3 (here 1)");
  const auto fork = hospital.people.Revoke("carol");
  EXPECT_THAT(Extend(fork),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("ws-001 and 1 other host(s) have keyring version 3"), HasSubstr("older copy"),
                             HasSubstr("reprise host expel ws-001"))));
  EXPECT_EQ(Version(), 1u);
  hospital.Disconnect("ws-001");
  hospital.Crash();  // Whoever is away, and another process, change nothing about it.
  EXPECT_EQ(Ahead(), 2u);
  EXPECT_FALSE(Extend(fork).ok());
}

TEST_F(OlderCopyTest, TakesTheKeyringBackFromAnAgentThatHasIt) {
  const auto second = hospital.people.Revoke("carol");
  const auto third = hospital.people.Revoke("bob");
  hospital.Connect("ws-001", Hello(3, 1));
  EXPECT_EQ(hospital.SentTo("ws-001").front().welcome().keyring_version(), 1u);
  BringBack("ws-001", {second, third});
  EXPECT_EQ(Version(), 3u);
  EXPECT_FALSE(hospital.engine.keyring()->Find("bob")->active);
  EXPECT_EQ(hospital.journal.back().actor(), "host:ws-001");
  EXPECT_EQ(hospital.SentTo("ws-002").back().keyring().statements(0).statement(), third.statement());
  EXPECT_EQ(Ahead(), 0u);
  ASSERT_OK(Extend(hospital.people.Revoke("carol")));
  EXPECT_EQ(Version(), 4u);
  hospital.Crash();
  EXPECT_EQ(Version(), 4u);
}

TEST_F(OlderCopyTest, TakesNothingBackThatPeopleDidNotSignOrThatDoesNotFollow) {
  People impostors;
  const auto second = hospital.people.Revoke("carol");
  const auto third = hospital.people.Revoke("bob");
  hospital.Connect("ws-001", Hello(3, 1));
  auto unsigned_one = second;
  unsigned_one.clear_signatures();
  BringBack("ws-001", {third, impostors.Revoke("bob"), unsigned_one, {}});
  EXPECT_EQ(Version(), 1u);
  EXPECT_EQ(Ahead(), 1u);
  BringBack("ws-001", {second});  // And keeps the rest: it is ahead still.
  EXPECT_EQ(Version(), 2u);
  EXPECT_EQ(Ahead(), 1u);
  EXPECT_FALSE(Extend(hospital.people.Revoke("alice")).ok());
}

TEST_F(OlderCopyTest, IsHeldUpByALiarOnlyUntilItIsExpelled) {
  hospital.Connect("ws-002", Hello(std::numeric_limits<uint32_t>::max(), 1));
  const auto next = hospital.people.Revoke("carol");
  EXPECT_FALSE(Extend(next).ok());
  operators::v1::ExpelHostRequest expel;
  expel.set_host("ws-002");
  expel.set_reason("it says what cannot be");
  ASSERT_OK(hospital.Do("alice", expel));
  EXPECT_EQ(Ahead(), 0u);
  ASSERT_OK(Extend(next));
}

TEST_F(OlderCopyTest, StatesAHostOnlyBeyondWhatItsAgentHas) {
  hospital.Connect("ws-001", Hello(1, 7));
  EXPECT_EQ(Known("ws-001"), "ws-001 has a statement with serial 7 (here 1)");
  EXPECT_EQ(HighestStatementSerial(*hospital.engine.FindHost("ws-001")), 7u);
  EXPECT_THAT(State("ws-001", 7), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("its agent is 7")));
  ASSERT_OK(State("ws-002", 2)) << "what one host says is of no consequence to another";
  ASSERT_OK(State("ws-001", 8));
  EXPECT_EQ(Ahead(), 0u);
  EXPECT_EQ(hospital.SentTo("ws-001").back().host_statement().statement(),
            hospital.engine.FindHost("ws-001")->statement().statement());
}

// Else nobody could ever put a host that lies into quarantine.
TEST_F(OlderCopyTest, LetsNoHostUseUpTheSerialsOfItsStatements) {
  for (const uint64_t said : {std::numeric_limits<uint64_t>::max(), kStatementSerialStepMax + 2}) {
    hospital.Connect("ws-001", Hello(1, said));
    EXPECT_EQ(Ahead(), 0u);
  }
  hospital.Connect("ws-001", Hello(1, kStatementSerialStepMax + 1));
  EXPECT_EQ(Ahead(), 1u);
  hospital.Connect("ws-001", Hello(1, kStatementSerialStepMax + 2));
  ASSERT_OK(State("ws-001", 2));
}

TEST_F(OlderCopyTest, NoticesWorkThatItNeverGaveOut) {
  PlanDraft draft(hospital.people);
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  hospital.Launch(draft);
  agent::v1::Hello hello = Hello(1, 1);
  *hello.add_in_flight() = hospital.Take("ws-001").key();
  hospital.Connect("ws-001", hello);
  EXPECT_EQ(Ahead(), 0u) << "that is its own";
  hello.add_in_flight()->set_run(9);
  *hello.add_in_flight() = hello.in_flight(0);
  hello.mutable_in_flight(2)->set_plan_id("another-plan");
  hospital.Connect("ws-001", hello);
  EXPECT_EQ(Known("ws-001"), "ws-001 has 2 task(s) of runs that are not known here");
  hospital.Connect("ws-001", Hello(1, 1));
  EXPECT_EQ(Ahead(), 0u);
}

}  // namespace
}  // namespace reprise::engine
