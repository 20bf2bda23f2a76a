#include "core/plan/compile.h"

#include "core/engine/plan_index.h"
#include "core/model/authorization.h"
#include "tests/unit/core/plan/documents.h"

namespace reprise::plan {
namespace {

using testing::Documents;
using ::testing::ElementsAre;
using testing::FindingsOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kHour;
using testing::kNoon;
using testing::OneStage;
using ::testing::SizeIs;

constexpr char kStep[] = "      - {name: install, uses: edr.install, with: {version: 4.2.1}}\n";

// Two stages with a gate, a canary and everything else that a plan can hold.
std::string Whole() {
  return absl::StrCat(
      testing::kHead,
      "parameters: [{name: version, default: 4.2.1}, {name: site, default: nord}, {name: pin, secret: true}]\nexpires: "
      "36h\n"
      "limits: {in_flight: 50, per_host: 2, failures: {percent: 10}}\ncapacities: {wsus: 20}\nstages:\n"
      "  - name: look\n    targets: class in (workstation, server)\n    steps: [{name: status, uses: edr.status}]\n"
      "  - name: protect\n    after: look\n    targets: class == workstation and labels.site == params.site\n"
      "    gate: {name: go, question: Ready?, approvers: [alice, carol]}\n"
      "    waves: {canary: 1, sizes: [40%], gate: {question: Sound?}, gate_each: true}\n    failures: {max: 1}\n    "
      "steps:\n"
      "      - {name: install, uses: edr.install, artifacts: 'edr_*.deb', retries: 2, tokens: {wsus: 1}, on_failure: "
      "rollback,\n"
      "         with: {version: '${params.version}', paths: ['/etc/${host.name}']}}\n");
}

TEST(Compile, MakesAPlanThatTheEngineAndTheJudgeAccept) {
  Documents documents(Whole());
  const auto plan = documents.Compile();
  ASSERT_THAT(documents.Found(), IsEmpty());
  ASSERT_TRUE(plan.has_value());
  ASSERT_OK_AND_ASSIGN(const engine::PlanIndex index, engine::PlanIndex::Read(plan->bundle));
  EXPECT_EQ(index.leaves.size(), 12u);
  EXPECT_EQ(index.statement.plan_id, "edr-30313233");
  const auto sign = [&](const std::vector<std::string>& people) {
    return model::CheckPlan(documents.keyring, documents.site.SignBytes(plan->bundle.statement(), people),
                            plan->bundle.header(), kNoon);
  };
  EXPECT_OK(sign({"bob"}));
  EXPECT_THAT(sign({"dave"}), ::reprise::testing::StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("needs 1")));
  ASSERT_OK_AND_ASSIGN(const model::AuthorizedPlan authorized, sign({"bob"}));
  for (uint32_t i = 0; i < index.leaves.size(); ++i) {
    EXPECT_OK(model::CheckLeaf(authorized, index.AuthorityFor(i, {}), index.leaves[i].host()));
  }
}

TEST(Compile, RefusesAPlanThatCouldNotBeSentAndNamesTheStep) {
  std::string paths;
  for (int i = 0; i < 1300; ++i) absl::StrAppend(&paths, "/", std::string(4000, 'x'), ", ");
  Documents documents(OneStage(absl::StrCat("      - {name: install, uses: edr.install, with: {version: 4.2.1, paths: [",
                                            paths, "/y]}}\n")));
  EXPECT_FALSE(documents.Compile().has_value());
  ASSERT_THAT(documents.Found(), SizeIs(1));
  EXPECT_THAT(documents.Found().front(), HasSubstr("what host ws-01 must be sent of the plan takes 52"));
  EXPECT_THAT(documents.Found().front(), HasSubstr("are the parameters of step install of stage go"));
}

TEST(Compile, SaysInTheHeaderWhatTheDocumentSays) {
  Documents documents(Whole());
  const auto plan = documents.Compile();
  ASSERT_TRUE(plan.has_value());
  const v1::PlanHeader& header = plan->header;
  EXPECT_EQ(header.created_ms(), kNoon);  // 123 ms fall away.
  EXPECT_EQ(header.expires_ms(), kNoon + 36 * kHour);
  EXPECT_EQ(header.effect(), model::v1::EFFECT_CHANGE);
  EXPECT_EQ(header.limits().per_host_max(), 2u);
  EXPECT_EQ(header.limits().budget().max_percent(), 10u);
  EXPECT_EQ(header.artifacts_size(), 2);
  const v1::Stage& protect = header.stages(1);
  EXPECT_THAT(protect.after(), ElementsAre(0));
  EXPECT_EQ(protect.gate().name(), "go");
  EXPECT_THAT(protect.gate().approvers(), ElementsAre("alice", "carol"));
  std::vector<std::string> waves;
  for (const v1::Wave& wave : protect.waves())
    waves.push_back(absl::StrCat(wave.name(), " ", wave.host_count(), " ", wave.gate().name()));
  EXPECT_THAT(
      waves, ElementsAre("canary 1 ", "wave-1 4 protect-wave-1", "wave-2 4 protect-wave-2", "wave-3 1 protect-wave-3"));
  const v1::Step& step = protect.steps(0);
  EXPECT_EQ(step.attempts_max(), 30u);
  EXPECT_EQ(step.timeout_ms(), 60'000);
  EXPECT_TRUE(step.undoable());
  EXPECT_EQ(step.params_json(), R"({"paths":["/etc/${host.name}"],"version":"4.2.1"})");
  ASSERT_THAT(plan->annex.parameters(), SizeIs(2));
  EXPECT_EQ(plan->annex.parameters(0).value_json(), "\"4.2.1\"");
  EXPECT_EQ(plan->annex.inventory_hosts(), 14u);
}

TEST(Compile, GivesEachHostItsOwnParametersOnlyWhereTheyNameIt) {
  Documents documents(Whole());
  const auto plan = documents.Compile();
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->leaves[0].host(), "srv-1");
  EXPECT_THAT(plan->leaves[0].placements(), SizeIs(1));
  const v1::HostLeaf& leaf = plan->leaves[2];
  EXPECT_EQ(leaf.host(), "ws-01");
  ASSERT_THAT(leaf.placements(), SizeIs(2));
  EXPECT_THAT(leaf.placements(0).overrides(), IsEmpty());
  ASSERT_THAT(leaf.placements(1).overrides(), SizeIs(1));
  EXPECT_EQ(leaf.placements(1).overrides(0).params_json(), R"({"paths":["/etc/ws-01"],"version":"4.2.1"})");
}

TEST(Compile, IsTheSameForTheSameArguments) {
  Documents one(Whole()), other(Whole());
  EXPECT_EQ(one.Compile()->bundle.SerializeAsString(), other.Compile()->bundle.SerializeAsString());
}

TEST(Compile, TakesTheTimeThatItIsAskedFor) {
  Documents documents(OneStage());
  const auto plan = documents.Compile([](CompileRequest& request) { request.expires_ms = 90'500; });
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->header.expires_ms(), kNoon + 91'000);
}

TEST(Compile, MakesNoPlanThatIsToBeUsedForLongerThanAMonth) {
  Documents documents(OneStage());
  EXPECT_FALSE(documents.Compile([](CompileRequest& request) { request.expires_ms = 40 * 24 * kHour; }).has_value());
  EXPECT_FALSE(documents.Compile([](CompileRequest& request) { request.expires_ms = 1000; }).has_value());
}

// Without a signature agents take nothing that runs more than a day ahead.
TEST(Compile, GivesAPlanThatOnlyReadsANearEndUnlessSomebodyAsksForMore) {
  Documents documents(OneStage("      - {name: look, uses: edr.status}\n"));
  const auto plan = documents.Compile();
  ASSERT_TRUE(plan.has_value());
  ASSERT_EQ(plan->header.effect(), model::v1::EFFECT_READ);
  EXPECT_EQ(plan->header.expires_ms(), kNoon + kUnsignedLife);
  EXPECT_LT(kUnsignedLife, model::kUnsignedAheadMax);
  const auto longer = documents.Compile([](CompileRequest& request) { request.expires_ms = 48 * kHour; });
  ASSERT_TRUE(longer.has_value());
  EXPECT_EQ(longer->header.expires_ms(), kNoon + 48 * kHour);
}

TEST(Compile, NamesHostsThatAreLeftOutAndThoseThatAreAway) {
  Documents documents(OneStage(kStep, "", "", "class in (workstation, modality)"));
  const auto plan = documents.Compile([](CompileRequest& request) {
    request.known["ws-02"].hold = "evidence";
    request.known["ws-03"].connected = false;
    request.known["ws-03"].last_contact = 77;
  });
  ASSERT_TRUE(plan.has_value());
  ASSERT_THAT(plan->annex.exclusions(), SizeIs(2));
  EXPECT_EQ(plan->annex.exclusions(0).host(), "ct-1");
  EXPECT_EQ(plan->annex.exclusions(0).code(), "no_agent");
  EXPECT_EQ(plan->annex.exclusions(1).reason(), "evidence hold: evidence");
  ASSERT_THAT(plan->offline, SizeIs(1));
  EXPECT_EQ(plan->offline[0].host, "ws-03");
  EXPECT_EQ(plan->offline[0].last_contact, 77);
}

TEST(Compile, WorksBeforeThereIsACoordinatorOrAKeyring) {
  Documents documents(OneStage());
  const auto plan = documents.Compile([](CompileRequest& request) {
    request.known.clear();
    request.coordinator_asked = false;
    request.keyring = nullptr;
  });
  ASSERT_TRUE(plan.has_value());
  EXPECT_THAT(plan->offline, IsEmpty());
  EXPECT_EQ(plan->header.keyring_version(), 0u);
  EXPECT_OK(engine::PlanIndex::Read(plan->bundle));
}

TEST(Compile, RefusesPluginsActionsAndArtifactsThatAreNotThere) {
  EXPECT_THAT(
      FindingsOf(OneStage("      - {name: a, uses: erd.install}\n      - {name: b, uses: edr.instal}\n"
                          "      - {name: c, uses: edr.status, artifacts: [rule.ndb, '*.rpm', rules.ndb]}\n")),
      ElementsAre("8:25 there is no plugin \"erd\" = expected edr = nearest edr",
                  "9:25 the plugin edr 1.0.0 has no action \"instal\" = expected one of install, status, reboot, wipe "
                  "= nearest install",
                  "10:49 there is no artifact \"rule.ndb\" = expected one of edr_4.2.deb, edr_4.3.deb, rules.ndb = "
                  "nearest rules.ndb",
                  "10:60 no artifact is called like \"*.rpm\" = expected one of edr_4.2.deb, edr_4.3.deb, rules.ndb"));
}

TEST(Compile, ChecksParametersAtTheirKeyInTheDocument) {
  EXPECT_THAT(
      FindingsOf(OneStage(
          "      - name: a\n        uses: edr.install\n        with:\n          verson: 4\n          mode: strikt\n"
          "          level: 12\n          fast: 'true'\n          paths: [/a, 3]\n          limits: {cpu: all}\n")),
      ElementsAre("8:15 the action needs the parameter \"version\" = expected a text like ^[A-Za-z0-9.-]+$, at most 20 "
                  "long, in with:",
                  "11:11 the action has no parameter \"verson\" = expected one of fast, level, limits, mode, password, "
                  "paths, version = nearest version",
                  "12:17 mode is \"strikt\" = expected one of strict, lax = nearest strict",
                  "13:18 level is 12 (a number) = expected a whole number from 0 to 9",
                  "14:18 fast is \"true\" = expected true or false", "15:23 paths.1 is 3 (a number) = expected a text",
                  "16:25 limits.cpu is \"all\" = expected a whole number"));
  EXPECT_THAT(FindingsOf(OneStage("      - {name: a, uses: edr.install}\n")),
              ElementsAre(HasSubstr("8:16 the action needs the parameter \"version\"")));
  EXPECT_THAT(FindingsOf(OneStage("      - {name: a, uses: edr.install, with: {version: \"a b\"}}\n")),
              ElementsAre("8:55 version is \"a b\" = expected a text like ^[A-Za-z0-9.-]+$, at most 20 long"));
  // A number is no text: 4.20 would arrive as 4.2.
  EXPECT_THAT(FindingsOf(OneStage("      - {name: a, uses: edr.install, with: {version: 4.20}}\n")),
              ElementsAre(HasSubstr("8:54 version is 4.2 (a number) = expected a text")));
}

TEST(Compile, KeepsSecretsOutOfPlans) {
  const std::string parameters = "parameters: [{name: key, secret: true}]\n";
  EXPECT_THAT(
      FindingsOf(OneStage("      - {name: a, uses: edr.install, with: {version: \"${params.key}\"}}\n", "", parameters),
                 {{"key", "hunter2"}}),
      ElementsAre(HasSubstr("9:55 the secret parameter key would stand in the plan")));
  EXPECT_THAT(FindingsOf(OneStage(kStep, "", parameters, "name == params.key"), {{"key", "hunter2"}}),
              ElementsAre(HasSubstr("7:22 the secret parameter key stands in a selector")));
  Documents documents(OneStage("      - {name: a, uses: edr.install, with: {version: '4', password: hunter2}}\n"));
  EXPECT_FALSE(documents.Compile().has_value());
  EXPECT_THAT(documents.Found(), ElementsAre(HasSubstr("8:59 the parameter password of the action is a secret")));
  EXPECT_THAT(documents.diagnostics.Render(), Not(HasSubstr("hunter2")));
}

TEST(Compile, FillsInReferencesAndTellsThoseThatReferToNothing) {
  EXPECT_THAT(FindingsOf(OneStage("      - {name: a, uses: edr.install, with: {version: \"${params.vrsion}\", mode: "
                                  "\"${hosts.name}\", paths: [\"${host.labels.site\"]}}\n",
                                  "", "parameters: [{name: version, type: string}]\n")),
              ElementsAre("9:55 the workflow has no parameter \"vrsion\" = expected version = nearest version",
                          "9:81 \"${hosts.name}\" refers to nothing = expected one of params.<name>, host.name, "
                          "host.address, host.labels.<key> = nearest host.name",
                          "9:106 a reference without its end = expected \"}\""));
  EXPECT_THAT(FindingsOf(OneStage("      - {name: a, uses: edr.install, with: {version: \"${params.version}\"}}\n", "",
                                  "parameters: [{name: version}]\n")),
              ElementsAre("9:55 the parameter version has no value = expected a value given, or a default in line 4"));
  EXPECT_THAT(FindingsOf(OneStage("      - {name: a, uses: edr.install, with: {version: \"v-${params.l}\"}}\n", "",
                                  "parameters: [{name: l, type: list, default: [x]}]\n")),
              ElementsAre("9:57 params.l is a list and stands inside of a text = expected a list as the whole value"));
}

TEST(Compile, ChecksWhatEachHostWouldGet) {
  EXPECT_THAT(
      FindingsOf(OneStage(
          "      - {name: a, uses: edr.install, with: {version: \"${host.labels.row}\", mode: \"${host.address}\"}}\n",
          "", "", "class in (server, workstation)")),
      ElementsAre("8:55 srv-1 and 1 more have no host.labels.row = expected a value for every host of the stage",
                  "8:83 srv-2 and 10 more have no host.address = expected a value for every host of the stage"));
  EXPECT_THAT(
      FindingsOf(OneStage("      - {name: a, uses: edr.install, with: {version: x, mode: \"${host.labels.row}\"}}\n")),
      ElementsAre("8:64 mode is \"a\" for host ws-01 and 9 more = expected one of strict, lax = nearest lax"));
}

TEST(Compile, KeepsTheTypeOfAParameterAndThePlainDollar) {
  Documents documents(
      OneStage("      - {name: a, uses: edr.install, with: {version: \"${params.v}-${params.n}\", level: "
               "\"${params.n}\", paths: [\"$${host.name}\"]}}\n",
               "", "parameters: [{name: n, type: integer, default: 7}, {name: v, default: x}]\n"));
  const auto plan = documents.Compile();
  ASSERT_THAT(documents.Found(), IsEmpty());
  EXPECT_EQ(plan->header.stages(0).steps(0).params_json(), R"({"level":7,"paths":["${host.name}"],"version":"x-7"})");
}

TEST(Compile, FindsSelectorsThatNameWhatIsNotThere) {
  EXPECT_THAT(FindingsOf(OneStage(
                  kStep, "", "",
                  "name in (ws-01, ws-011) or labels.sit == nord or labels.site == nrd or name == params.hosts")),
              ElementsAre("6:93 the workflow has no parameter \"hosts\""));
  EXPECT_THAT(
      FindingsOf(OneStage(kStep, "", "", "name in (ws-01, ws-011) or labels.sit == nord or labels.site == nrd")),
      ElementsAre("6:30 the inventory has no host \"ws-011\" = expected a host of the inventory = nearest ws-01",
                  "6:48 no host has a label \"sit\" = expected one of row, site = nearest site",
                  "6:78 warning: no host has the label site \"nrd\" = expected one of nord, sud = nearest nord"));
  EXPECT_THAT(
      FindingsOf(OneStage(kStep, "", "parameters: [{name: spared, type: list, default: [ws-1]}]\n",
                          "not name in params.spared")),
      ElementsAre("7:26 the inventory has no host \"ws-1\" = expected a host of the inventory = nearest ws-01"));
  EXPECT_THAT(FindingsOf(OneStage(kStep, "    waves: {order: [labels.rwo]}\n")),
              ElementsAre("7:21 no host has a label \"rwo\" = expected one of row, site = nearest row"));
}

TEST(Compile, RefusesAStageThatTouchesNobody) {
  EXPECT_THAT(
      FindingsOf(OneStage(kStep, "", "", "class == printer")),
      ElementsAre("6:14 the targets of stage go select no host = expected at least one host, or optional: true"));
  Documents documents(OneStage(kStep));
  EXPECT_FALSE(documents
                   .Compile([](CompileRequest& request) {
                     request.known["ws-01"].hold = "evidence";
                     for (auto& [host, known] : request.known) known.admitted = host == "ws-01";
                   })
                   .has_value());
  EXPECT_THAT(
      documents.Found(),
      ElementsAre(HasSubstr(
          "6:14 stage go would touch nobody: all 10 host(s) that it selects are left out: 1 hold, 9 not_admitted")));
}

TEST(Compile, RefusesAPlanThatTouchesNobody) {
  EXPECT_THAT(FindingsOf(OneStage(kStep, "    optional: true\n", "", "class == printer")),
              ElementsAre(HasSubstr("3:18 workflow edr selects no host at all")));
  EXPECT_THAT(FindingsOf(OneStage(kStep, "    optional: true\n", "", "class == modality")),
              ElementsAre("3:18 every host that workflow edr selects is left out: 1 no_agent = expected at least one "
                          "host that the plan may touch"));
}

TEST(Compile, KeepsAnOptionalStageWithoutHostsInTheOrder) {
  Documents documents(absl::StrCat(testing::kHead,
                                   "stages:\n  - {name: a, optional: true, targets: class == printer, gate: {question: "
                                   "Sure?}, steps: [{name: x, uses: edr.status}]}\n"
                                   "  - {name: b, after: a, targets: all, steps: [{name: x, uses: edr.status}]}\n"));
  const auto plan = documents.Compile();
  ASSERT_THAT(documents.Found(),
              ElementsAre(HasSubstr("warning: stage b reads on 1 host(s) of a protected class, pump-1 first")));
  EXPECT_FALSE(plan->header.stages(0).has_gate());
  EXPECT_EQ(plan->header.stages(0).waves(0).host_count(), 0u);
  EXPECT_OK(engine::PlanIndex::Read(plan->bundle));
}

TEST(Compile, KnowsThePeopleOfTheKeyring) {
  const auto gate = [](const std::string& fields) {
    return OneStage(kStep, "    gate: {question: Sure?, " + fields + "}\n");
  };
  EXPECT_THAT(
      FindingsOf(gate("approvers: [alise, dave, carol]")),
      ElementsAre("7:41 alise is nobody whom the keyring names = expected one of alice, bob, carol = nearest alice",
                  "7:48 dave does not have the role approver = expected one of alice, bob, carol"));
  EXPECT_THAT(
      FindingsOf(gate("quorum: 3")),
      ElementsAre(HasSubstr("7:11 the gate wants 3 approval(s), and only 2 of the people can give one: alice, carol")));
  EXPECT_THAT(FindingsOf(gate("approvers: [bob]")), ElementsAre(HasSubstr("and only 0 of the people can give one")));
  EXPECT_THAT(FindingsOf(gate("quorum: 2")), IsEmpty());
  Documents documents(OneStage(kStep));
  EXPECT_FALSE(documents.Compile([](CompileRequest& request) { request.requester = "bobby"; }).has_value());
  EXPECT_THAT(documents.Found(), ElementsAre(HasSubstr("the requester bobby is nobody whom the keyring names")));
}

TEST(Compile, WantsAsManySignersAsThePlanTakes) {
  Documents documents(OneStage("      - {name: a, uses: edr.wipe}\n"));
  for (const char* name : {"alice", "carol"}) documents.site.Person(name).active = name == std::string("alice");
  documents.site.Person("erin").active = false;
  documents.site.policy.destroy_signatures = 3;
  documents.keyring = documents.site.Found();
  EXPECT_FALSE(documents.Compile().has_value());
  EXPECT_THAT(documents.Found(),
              ElementsAre(HasSubstr(
                  "3:18 the plan would destroy, which takes 3 signatures, and only 2 of the people may sign")));
}

TEST(Compile, KnowsWhatARollbackCanUndo) {
  EXPECT_THAT(
      FindingsOf(OneStage("      - {name: a, uses: edr.status, on_failure: rollback}\n      - {name: b, uses: "
                          "edr.reboot, on_failure: rollback}\n")),
      ElementsAre(
          "8:49 on_failure of step a is rollback, and nothing has been changed by then = expected stop or continue",
          "9:49 on_failure of step b is rollback, and nothing can be undone: b = expected stop or continue"));
  EXPECT_THAT(FindingsOf(OneStage("      - {name: a, uses: edr.reboot}\n      - {name: b, uses: edr.install, with: "
                                  "{version: x}, on_failure: rollback}\n")),
              ElementsAre("9:70 warning: on_failure of step b is rollback, and what a did cannot be undone and stays"));
}

TEST(Compile, SaysWhenAGateIsNeverAsked) {
  EXPECT_THAT(FindingsOf(OneStage(kStep, "    waves: {canary: 10, gate: {question: Sound?}}\n")),
              ElementsAre("7:31 warning: all 10 host(s) of stage go are in its first wave: this gate is never asked"));
}

TEST(Compile, RefusesWhatNoPlanCanHold) {
  Documents documents(OneStage(kStep));
  EXPECT_FALSE(documents
                   .Compile([](CompileRequest& request) {
                     request.requester = "Bob the builder";
                     request.nonce = "short";
                   })
                   .has_value());
  EXPECT_THAT(documents.Found(), ElementsAre("the requester is \"Bob the builder\" = expected an operator's name",
                                             "the nonce has 5 bytes = expected 16"));
}

}  // namespace
}  // namespace reprise::plan
