#include "core/cli/commands/declarations.h"
#include "core/model/authorization.h"
#include "core/model/statements.h"
#include "tests/unit/core/cli/plans.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Gate "go" of run 7 is ready, and the coordinator records what is signed.
struct Gates : Desk {
  explicit Gates(const std::string& person, uint32_t quorum = 1)
      : Desk({{"gate", "ls", "", DeclareGateLs},
              {"gate", "approve", "", DeclareGateApprove},
              {"gate", "waive", "", DeclareGateWaive}},
             person),
        plan(people) {
    planned = plan.maker.AddGate("go", quorum);
    Tell(model::v1::GATE_STATE_READY);
    coordinator.On<ops::SignGateRequest, ops::GateView>(
        "SignGate", [this, quorum](const ops::SignGateRequest&) -> absl::StatusOr<ops::GateView> {
          ops::GateView after = GateOfSeven(quorum == 1 ? model::v1::GATE_STATE_PASSED : model::v1::GATE_STATE_READY);
          after.set_quorum(quorum);
          after.add_signers(profile.operator_name);
          return after;
        });
  }
  void Tell(model::v1::GateState state) {
    ops::RunView run = RunSeven();
    *run.add_gates() = GateOfSeven(state);
    coordinator.Answer("GetRun", run);
    coordinator.Answer("GetPlan", plan.View({"alice"}));
  }
  std::vector<ops::SignGateRequest> Signed() const { return coordinator.Heard<ops::SignGateRequest>("SignGate"); }

  HeldPlan plan;
  plan::v1::Gate* planned = nullptr;
};

TEST(GateApprove, SignsADecisionThatTheHostsWillCount) {
  Gates desk("carol");
  desk.terminal.answers = {"yes"};
  EXPECT_EQ(desk.Run({"gate", "approve", "7", "go"}), kExitOk) << desk.Err();
  ASSERT_EQ(desk.Signed().size(), 1);
  const auto verdict = model::CheckGate(desk.people.Keyring(), desk.plan.maker.Statement(), *desk.planned, 7,
                                        {desk.Signed()[0].statement()}, kNoon);
  ASSERT_OK(verdict);
  EXPECT_THAT(verdict->signers, ::testing::ElementsAre("carol"));
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("sound?"), HasSubstr("never bob"), HasSubstr("gate go is passed")));
}

TEST(GateApprove, SignsNothingWithoutAYes) {
  Gates desk("carol");
  desk.terminal.answers = {"no"};
  EXPECT_EQ(desk.Run({"gate", "approve", "7", "go"}), kExitFailure);
  EXPECT_TRUE(desk.Signed().empty());
}

TEST(GateWaive, IsRefusedHereWithAReasonThatNoAgentWouldTake) {
  Gates desk("alice");
  EXPECT_EQ(desk.Run({"gate", "waive", "7", "go", "--expires", "1h", "--yes", "--reason", std::string(20'000, 'x')}),
            kExitFailure);
  EXPECT_TRUE(desk.terminal.questions.empty());
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("20000 bytes"), HasSubstr("at most 2048")));
  EXPECT_TRUE(desk.Signed().empty());
}

TEST(GateApprove, IsRefusedHereToWhoAskedForThePlan) {
  Gates desk("bob");
  EXPECT_EQ(desk.Run({"gate", "approve", "7", "go"}), kExitRefused);
  EXPECT_TRUE(desk.terminal.questions.empty());
  EXPECT_THAT(desk.Err(), HasSubstr("bob asked for this plan"));
  EXPECT_TRUE(desk.Signed().empty());
}

TEST(GateApprove, IsRefusedWhileTheGateIsLocked) {
  Gates desk("carol");
  desk.Tell(model::v1::GATE_STATE_LOCKED);
  EXPECT_EQ(desk.Run({"gate", "approve", "7", "go", "--yes"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("locked"));
}

TEST(GateApprove, IsRefusedWhenThePlanIsNotTheOneThatWasSigned) {
  Gates desk("carol");
  ops::PlanView view = desk.plan.View();
  desk.plan.maker.header.mutable_stages(0)->mutable_gate()->set_question("nothing to see here?");
  view.mutable_bundle()->set_header(desk.plan.maker.header.SerializeAsString());
  desk.coordinator.Answer("GetPlan", view);
  EXPECT_EQ(desk.Run({"gate", "approve", "7", "go", "--yes"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("must not be signed"));
  EXPECT_TRUE(desk.Signed().empty());
}

TEST(GateApprove, NamesTheNearestGate) {
  Gates desk("carol");
  EXPECT_EQ(desk.Run({"gate", "approve", "7", "goo", "--yes"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("did you mean go?"));
}

TEST(GateApprove, SaysHowManySignaturesAreStillWanted) {
  Gates desk("carol", 2);
  EXPECT_EQ(desk.Run({"gate", "approve", "7", "go", "--yes"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("1 more of 2 signature(s) wanted"));
}

TEST(GateApprove, EndsAsRefusedWhenTheCoordinatorSaysNo) {
  Gates desk("carol");
  desk.coordinator.Fail("SignGate", absl::FailedPreconditionError("gate go is open already"));
  EXPECT_EQ(desk.Run({"gate", "approve", "7", "go", "--yes"}), kExitRefused);
}

TEST(GateWaive, SignsReasonAndExpiry) {
  Gates desk("alice");
  EXPECT_EQ(desk.Run({"gate", "waive", "7", "go", "--reason", "theatre", "--expires", "2h", "--yes"}), kExitOk)
      << desk.Err();
  ASSERT_EQ(desk.Signed().size(), 1);
  const auto decision = model::GateStatement::Read(desk.Signed()[0].statement().statement());
  ASSERT_OK(decision);
  EXPECT_TRUE(decision->waive);
  EXPECT_EQ(decision->reason, "theatre");
  EXPECT_EQ(decision->expires, kNoon + 2 * kHour);
}

TEST(GateWaive, TakesAnAdmin) {
  Gates desk("carol");
  EXPECT_EQ(desk.Run({"gate", "waive", "7", "go", "--reason", "theatre", "--expires", "2h", "--yes"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("takes an admin"));
}

TEST(GateWaive, RefusesAnExpiryThatIsNoneOrPast) {
  Gates desk("alice");
  EXPECT_EQ(desk.Run({"gate", "waive", "7", "go", "--reason", "x", "--expires", "soon", "--yes"}), kExitUsage);
  EXPECT_EQ(desk.Run({"gate", "waive", "7", "go", "--reason", "x", "--expires", "2020-01-01T00:00:00Z", "--yes"}),
            kExitUsage);
  EXPECT_EQ(desk.Run({"gate", "waive", "7", "go", "--reason", "x", "--yes"}), kExitUsage);
}

TEST(GateLs, ShowsWhatIsStillToDecideFirst) {
  Gates desk("carol");
  ops::GateList list;
  *list.add_gates() = GateOfSeven(model::v1::GATE_STATE_PASSED);
  list.mutable_gates(0)->set_name("passed-one");
  *list.add_gates() = GateOfSeven(model::v1::GATE_STATE_LOCKED);
  list.mutable_gates(1)->set_name("locked-one");
  *list.add_gates() = GateOfSeven();
  desk.coordinator.Answer("ListGates", list);
  EXPECT_EQ(desk.Run({"gate", "ls"}), kExitOk);
  EXPECT_TRUE(desk.coordinator.Last<ops::ListRunsRequest>("ListGates").active_only());
  EXPECT_THAT(desk.Out(), Not(HasSubstr("passed-one")));
  EXPECT_LT(desk.Out().find("go"), desk.Out().find("locked-one"));
  EXPECT_EQ(desk.Run({"gate", "ls", "--all", "-o", "json"}), kExitOk);
  EXPECT_EQ(desk.OutJson()["gates"].size(), 3);
  EXPECT_FALSE(desk.coordinator.Last<ops::ListRunsRequest>("ListGates").active_only());
}

}  // namespace
}  // namespace reprise::cli::testing
