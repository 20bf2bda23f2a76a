#include "core/cli/commands/declarations.h"
#include "tests/unit/core/cli/plans.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Approval : Desk {
  explicit Approval(const std::string& person, model::v1::Effect effect = model::v1::EFFECT_CHANGE)
      : Desk({{"", "approve", "", DeclareApprove}}, person), plan(people, effect) {
    coordinator.Answer("GetPlan", plan.View());
    coordinator.On<ops::SignPlanRequest, ops::PlanView>(
        "SignPlan", [this](const ops::SignPlanRequest&) -> absl::StatusOr<ops::PlanView> {
          return plan.View({profile.operator_name});
        });
  }
  std::vector<ops::SignPlanRequest> Sent() const { return coordinator.Heard<ops::SignPlanRequest>("SignPlan"); }
  std::vector<std::string> SignersOfSent() const {
    plan::v1::SignedStatement statement;
    statement.set_statement(plan.View().statement());
    for (const auto& request : Sent()) *statement.add_signatures() = request.signature();
    return *people.Keyring().Signers(statement);
  }

  HeldPlan plan;
};

TEST(Approve, ShowsThePlanAsksAndSignsItsVeryBytes) {
  Approval desk("alice");
  desk.terminal.answers = {"y"};
  EXPECT_EQ(desk.Run({"approve", desk.plan.id()}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.SignersOfSent(), ::testing::ElementsAre("alice"));
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("reprise-plan/v1"), HasSubstr("merkle-root: "), HasSubstr("ws-001"),
                                HasSubstr("reprise run start edr-00000000")));
}

TEST(Approve, SignsNothingWithoutAYes) {
  Approval desk("alice");
  desk.terminal.answers = {""};
  EXPECT_EQ(desk.Run({"approve", desk.plan.id()}), kExitFailure);
  EXPECT_TRUE(desk.Sent().empty());
}

TEST(Approve, SaysHowManySignaturesAreStillWanting) {
  Approval desk("alice", model::v1::EFFECT_DESTROY);
  EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--yes"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("1 more of 2 signature(s) wanted"));
}

TEST(Approve, DoesNotCallItEnoughBeforeWhoDecidedAConcessionHasSigned) {
  Approval desk("alice");
  Concede(desk.plan);
  desk.coordinator.Answer("GetPlan", desk.plan.View());
  EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--yes"}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("wanted: 1, and among them carol (concession sampled-planning about agiletime-db/2022-08-12)"),
                                HasSubstr("who decided must sign, and has not: carol"),
                                ::testing::Not(HasSubstr("that is enough"))));
  Approval carol("carol");
  Concede(carol.plan);
  carol.coordinator.Answer("GetPlan", carol.plan.View({"alice"}));
  EXPECT_EQ(carol.Run({"approve", carol.plan.id(), "--yes"}), kExitOk) << carol.Err();
  EXPECT_THAT(carol.Out(), HasSubstr("that is enough"));
}

TEST(Approve, RefusesAPlanWhosePartsAreNotThoseOfItsStatement) {
  const std::function<void(plan::v1::PlanBundle&)> tampered[] = {
      [](auto& bundle) { bundle.mutable_leaves(0)->append("x"); },
      [](auto& bundle) { bundle.mutable_leaves()->RemoveLast(); },
      [](auto& bundle) { bundle.mutable_header()->append("\x08\x01"); }, [](auto& bundle) { bundle.clear_annex(); }};
  for (const auto& tamper : tampered) {
    Approval desk("alice");
    ops::PlanView view = desk.plan.View();
    tamper(*view.mutable_bundle());
    desk.coordinator.Answer("GetPlan", view);
    EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--yes"}), kExitRefused);
    EXPECT_THAT(desk.Err(), HasSubstr("must not be signed"));
    EXPECT_TRUE(desk.Sent().empty());
  }
}

TEST(Approve, RefusesAnotherPlanThanTheOneAskedFor) {
  Approval desk("alice");
  EXPECT_EQ(desk.Run({"approve", "edr-11111111", "--yes"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("the coordinator gave another one"));
}

TEST(Approve, RefusesAnExpiredPlan) {
  Approval desk("alice");
  desk.clock.Advance(25 * kHour);
  EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--yes"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("expired"));
}

TEST(Approve, RefusesAKeyringThatIsNotTheSites) {
  Approval desk("alice");
  const People others;
  ops::KeyringView view;
  for (const auto& statement : others.chain()) *view.add_chain() = statement;
  desk.coordinator.Answer("GetKeyring", view);
  EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--yes"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("not this site's"));
}

TEST(Approve, SendsNoSignatureOfAKeyThatWasRevoked) {
  Approval desk("bob");
  desk.people.Revoke("bob");
  desk.TellKeyring();
  EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--yes"}), kExitRefused);
  EXPECT_TRUE(desk.Sent().empty());
}

TEST(Approve, SendsNoSignatureInAnothersName) {
  Approval desk("bob");
  ASSERT_OK(WriteFileDurably(desk.profile.SigningKey(), *desk.people.key("alice").File(""), 0600));
  EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--yes"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("that of alice"));
  EXPECT_TRUE(desk.Sent().empty());
}

TEST(Approve, DoesNotSignTwice) {
  Approval desk("alice");
  desk.coordinator.Answer("GetPlan", desk.plan.View({"alice"}));
  EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--yes"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("you have signed it already"));
  EXPECT_TRUE(desk.Sent().empty());
}

TEST(Approve, ExportsTheStatementAndTakesASignatureMadeElsewhere) {
  Approval desk("alice");
  const std::string file = desk.scratch / "plan.txt";
  EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--export", file}), kExitOk);
  EXPECT_EQ(*ReadFile(file), desk.plan.View().statement());
  EXPECT_TRUE(desk.Sent().empty());
  ASSERT_OK(WriteFileDurably(file + ".minisig", desk.people.Sign(*ReadFile(file), "carol").minisig()));
  EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--signature", file + ".minisig"}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.SignersOfSent(), ::testing::ElementsAre("carol"));
  EXPECT_THAT(desk.Out(), HasSubstr("the signature of carol is recorded"));
}

TEST(Approve, RefusesASignatureOfSomethingElse) {
  Approval desk("alice");
  const std::string file = desk.scratch / "other.minisig";
  ASSERT_OK(WriteFileDurably(file, desk.people.Sign("another text", "carol").minisig()));
  EXPECT_EQ(desk.Run({"approve", desk.plan.id(), "--signature", file}), kExitRefused);
  EXPECT_TRUE(desk.Sent().empty());
}

}  // namespace
}  // namespace reprise::cli::testing
