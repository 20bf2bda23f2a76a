#include "core/plan/explain.h"

#include "core/base/text.h"
#include "tests/unit/core/plan/documents.h"

namespace reprise::plan {
namespace {

using ::reprise::testing::StatusIs;
using testing::Documents;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Campaign() {
  return absl::StrCat(
      testing::kHead,
      "parameters: [{name: mode, default: lax}]\ncapacities: {wsus: 4}\nlimits: {in_flight: 6, failures: {percent: "
      "10}}\nstages:\n"
      "  - name: protect\n    targets: class in (workstation, modality)\n    gate: {name: go, question: Ready?, "
      "approvers: [carol]}\n"
      "    waves: {canary: 2, sizes: [rest], gate: {question: Sound?, quorum: 2}}\n    failures: {max: 1}\n    steps:\n"
      "      - {name: install, uses: edr.install, tokens: {wsus: 1}, retries: 2, on_failure: rollback,\n"
      "         with: {version: '${host.name}', mode: '${params.mode}'}}\n");
}

v1::PlanBundle Bundle(const std::string& text) {
  Documents documents(text);
  auto plan = documents.Compile();
  EXPECT_TRUE(plan.has_value()) << documents.diagnostics.Render();
  return plan ? plan->bundle : v1::PlanBundle();
}

TEST(Explain, TellsEverythingThatPeopleSign) {
  ASSERT_OK_AND_ASSIGN(const std::string text, ExplainPlan(Bundle(Campaign()), 3));
  EXPECT_EQ(text, R"(Plan edr-30313233
  workflow    edr
  asked by    bob, under keyring version 1
  made        2026-09-21T14:13:20Z, expires 2026-09-22T14:13:20Z (after 1d)
  effect      change
  hosts       10 of 14 in the inventory
  parameter   mode = "lax"
  plugin      edr 1.0.0 ()" +
                      ToHex(crypto::Sha256("edr")).substr(0, 12) + R"(…)
  limits      at most 6 hosts at work at once; the run pauses at more than 10% failures; 4 of wsus

Stage protect: 10 hosts
  gate go: Ready?
    1 approval by carol; never by bob
  canary: 2 hosts: ws-01, ws-02
  gate protect-wave-1: Sound?
    2 approvals by any active approver; never by bob
  wave-1: 8 hosts: ws-03, ws-04, ws-05 and 5 more
  limits: pauses when more than 1 of a wave failed; a host silent for 1m is put off until it returns
  step 1. install: edr.install (change; can be undone; at most 1m; 2 retries after 5s; on failure: rollback; takes 1 of wsus)
    with {"mode":"lax","version":"${host.name}"}
    each host its own, the first: {"mode":"lax","version":"ws-01"}

Left out
  protect: no_agent: 1 host
    a modality that carries no agent: ct-1

To be signed by 1 person, or more if the keyring's policy says so: `reprise approve edr-30313233`
)");
  ASSERT_OK_AND_ASSIGN(const std::string whole, ExplainPlan(Bundle(Campaign()), 0));
  EXPECT_THAT(whole, HasSubstr("ws-09, ws-10\n"));
}

TEST(Explain, SaysThatAPlanOnlyLooks) {
  ASSERT_OK_AND_ASSIGN(const std::string text,
                       ExplainPlan(Bundle(testing::OneStage("      - {name: a, uses: edr.status}\n")), 3));
  EXPECT_THAT(text, HasSubstr("effect      read: it only looks, and changes nothing"));
  EXPECT_THAT(text, HasSubstr("No signature is needed to look."));
}

TEST(Explain, SaysItToProgramsToo) {
  ASSERT_OK_AND_ASSIGN(const Json json, PlanAsJson(Bundle(Campaign())));
  EXPECT_EQ(json["plan"], "edr-30313233");
  EXPECT_EQ(json["effect"], "change");
  EXPECT_EQ(json["signatures_needed"], 1);
  EXPECT_EQ(json["hosts"], 10);
  EXPECT_EQ(json["inventory_hosts"], 14);
  EXPECT_EQ(json["plugins"][0]["version"], "1.0.0");
  EXPECT_EQ(json["parameters"], Json({{"mode", "lax"}}));
  const Json& stage = json["stages"][0];
  EXPECT_EQ(stage["gate"]["approvers"], Json({"carol"}));
  EXPECT_EQ(stage["failures"], Json({{"max", 1}}));
  EXPECT_EQ(stage["unreachable"], "defer");
  EXPECT_EQ(stage["waves"][0], Json({{"name", "canary"}, {"gate", nullptr}, {"hosts", {"ws-01", "ws-02"}}}));
  EXPECT_EQ(stage["waves"][1]["gate"]["quorum"], 2);
  EXPECT_EQ(stage["steps"][0]["uses"], "edr.install");
  EXPECT_EQ(stage["steps"][0]["params"]["mode"], "lax");
  EXPECT_EQ(stage["steps"][0]["tokens"], Json({{"wsus", 1}}));
  EXPECT_EQ(json["left_out"][0], Json({{"host", "ct-1"},
                                       {"stage", "protect"},
                                       {"code", "no_agent"},
                                       {"reason", "a modality that carries no agent"}}));
}

TEST(Explain, KnowsWhatChangesSomething) {
  v1::PlanHeader header;
  v1::Stage& stage = *header.add_stages();
  stage.add_steps()->set_effect(model::v1::EFFECT_CHANGE);
  EXPECT_FALSE(HasChanges(header));
  stage.add_waves()->set_host_count(1);
  EXPECT_TRUE(HasChanges(header));
  stage.mutable_steps(0)->set_effect(model::v1::EFFECT_READ);
  EXPECT_FALSE(HasChanges(header));
}

TEST(Explain, RefusesABundleThatCannotBeRead) {
  v1::PlanBundle bundle = Bundle(Campaign());
  v1::HostLeaf stray;
  stray.set_host("ws-01");
  stray.add_placements()->set_stage(9);
  *bundle.mutable_leaves(0) = stray.SerializeAsString();
  EXPECT_THAT(ExplainPlan(bundle, 0),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ws-01 is placed in a wave")));
  bundle.set_header("\xff\xff");
  EXPECT_THAT(PlanAsJson(bundle), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("header")));
}

TEST(Explain, LetsNoNameSteerTheTerminal) {
  v1::PlanBundle bundle = Bundle(Campaign());
  v1::PlanHeader header;
  header.ParseFromString(bundle.header());
  header.mutable_stages(0)->mutable_gate()->set_question("Ready?\x1b[2J");
  bundle.set_header(header.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const std::string text, ExplainPlan(bundle, 3));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace reprise::plan
