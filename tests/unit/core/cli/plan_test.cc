#include "core/cli/commands/declarations.h"
#include "core/cli/commands/inventory_request.h"
#include "core/cli/commands/plan_preview.h"
#include "core/crypto/sha256.h"
#include "core/engine/plan_index.h"
#include "core/plan/dossier.h"
#include "tests/unit/core/cli/fakes.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kInventory[] = R"(apiVersion: reprise/v1
kind: Inventory
metadata: {name: hr1}
hosts:
  - {name: ws-001, class: workstation, zone: dirty}
  - {name: ws-002, class: workstation, zone: dirty}
  - {name: ws-003, class: workstation, zone: dirty}
)";

constexpr char kWorkflow[] = R"(apiVersion: reprise/v1
kind: Workflow
metadata: {name: edr}
parameters:
  - {name: version, type: string, default: "4.2.1"}
stages:
  - name: protect
    targets: class == workstation
    steps:
      - {name: look, uses: edr.status}
      - {name: install, uses: edr.install, with: {version: "${params.version}"}}
)";

constexpr char kLooking[] = R"(apiVersion: reprise/v1
kind: Workflow
metadata: {name: look}
stages:
  - name: look
    targets: class == workstation
    steps:
      - {name: look, uses: edr.status}
)";

constexpr char kDescriptor[] = R"({"name":"edr","version":"1.0.0","actions":[
  {"name":"install","summary":"Installs it","effect":"change","undoable":true,"protected":false,"timeout":"1m",
   "params":{"type":"object","additionalProperties":false,"properties":{"version":{"type":"string"}}}},
  {"name":"status","summary":"Looks","effect":"read","undoable":false,"protected":false,"timeout":"1m",
   "params":{"type":"object","additionalProperties":false,"properties":{}}}]})";

// A dossier of three hosts: ws-001 is connected, ws-002 silent, ws-003 has not joined.
struct Planning : Desk {
  explicit Planning(const std::string& workflow = kWorkflow) : Desk({{"", "plan", "", DeclarePlan}}, "bob") {
    std::filesystem::create_directory(scratch / "dossier");
    Write("inventory.yaml", kInventory);
    Write("workflow.yaml", workflow);
    for (const char* name : {"ws-001", "ws-002", "ws-003"}) {
      auto& host = *hosts.add_hosts();
      host.set_name(name);
      host.set_zone(model::v1::ZONE_DIRTY);
      host.set_asset_class(model::v1::ASSET_CLASS_WORKSTATION);
      host.set_trust(model::v1::TRUST_STATE_UNKNOWN);
      host.set_in_inventory(true);
      host.set_agent_expected(true);
    }
    for (int i = 0; i < 2; ++i) {
      hosts.mutable_hosts(i)->set_enrolled(true);
      hosts.mutable_hosts(i)->set_admitted(true);
      hosts.mutable_hosts(i)->set_statement_serial(1);
    }
    hosts.mutable_hosts(0)->set_connected(true);
    hosts.mutable_hosts(1)->set_last_contact_ms(kNoon - 3 * kHour);
    ops::BlobList blobs;
    auto& plugin = *blobs.add_blobs();
    plugin.set_kind("plugin");
    plugin.set_name("edr");
    plugin.set_version("1.0.0");
    plugin.set_sha256(crypto::Sha256("edr"));
    plugin.set_descriptor_json(kDescriptor);
    coordinator.Answer("ListBlobs", blobs);
    coordinator.Answer("ListRecoveryPoints", ops::RecoveryPointList());
    coordinator.On<ops::ListHostsRequest, ops::HostList>(
        "ListHosts", [this](const ops::ListHostsRequest&) -> absl::StatusOr<ops::HostList> { return hosts; });
    coordinator.Answer("ImportInventory", ops::ImportInventoryResponse());
    coordinator.On<ops::SubmitPlanRequest, ops::PlanView>(
        "SubmitPlan", [](const ops::SubmitPlanRequest& request) -> absl::StatusOr<ops::PlanView> {
          const auto index = engine::PlanIndex::Read(request.bundle());
          if (!index.ok()) return index.status();
          ops::PlanView view;
          view.set_plan_id(index->header.plan_id());
          view.set_signatures_needed(index->header.effect() == model::v1::EFFECT_READ ? 0 : 1);
          return view;
        });
  }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_OK(WriteFileDurably(scratch / "dossier" / name, text));
  }
  int Plan(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"plan", dossier()});
    return Run(more);
  }
  std::string dossier() const { return (scratch / "dossier").string(); }
  // Every answer that ws-001 and ws-002 give to a dry run.
  void Previews(const std::vector<std::string>& results) {
    std::vector<ops::HostPreview> answers;
    for (size_t i = 0; i < results.size(); ++i) {
      auto& answer = answers.emplace_back();
      answer.set_host(i < 2 ? "ws-001" : "ws-002");
      answer.set_step(static_cast<uint32_t>(i % 2));
      answer.set_ok(results[i].starts_with('{') && !results[i].starts_with("{\"error\""));
      (answer.ok() ? answer.mutable_result_json() : answer.mutable_error())->assign(results[i]);
    }
    coordinator.Stream<ops::HostPreview>("PreviewPlan", answers);
  }

  ops::HostList hosts;
};

constexpr char kNone[] = R"({"changes":[],"summary":"as it should be"})";
constexpr char kSome[] = R"({"changes":[{"what":"package edr","from":"","to":"4.2.1"}],"summary":"would install"})";

TEST(Plan, SaysWhoGetsWhatAndWhoIsLeftOut) {
  Planning desk;
  EXPECT_EQ(desk.Plan(), kExitChangesPending) << desk.Err();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("ws-001"), HasSubstr("ws-003"), HasSubstr("not_enrolled"),
                                HasSubstr("not connected now: ws-002 (last contact 3 h ago)"),
                                HasSubstr("This site's keyring asks for 1 signature(s), of distinct people.")));
  EXPECT_THAT(desk.coordinator.Methods(), ElementsAre("GetKeyring", "ListHosts", "ListRecoveryPoints", "ListBlobs"));
}

TEST(Plan, EndsWellWhenItOnlyReads) {
  Planning desk(kLooking);
  EXPECT_EQ(desk.Plan(), kExitOk) << desk.Err();
  EXPECT_EQ(desk.Plan({"--submit"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("needs no signature"));
}

constexpr char kRestoring[] = R"(apiVersion: reprise/v1
kind: Workflow
metadata: {name: back}
stages:
  - name: restore
    targets: name == ws-001
    steps:
      - {name: data, uses: edr.restore, restores: planning/d1}
---
apiVersion: reprise/v1
kind: Backups
metadata: {name: b}
compromise: {first: 2026-09-20T00:00:00Z}
sets:
  - {name: planning, reader: ws-001}
concessions:
  - {name: payroll, set: planning, point: d1, allows: sampled, decided_by: carol, reason: due on Friday,
     compensating: totals compared, expires: 2026-10-01T00:00:00Z}
)";

TEST(Plan, NamesWhoseSignatureAConcessionAsksFor) {
  Planning desk(kRestoring);
  ops::BlobList blobs;
  auto& plugin = *blobs.add_blobs();
  plugin.set_kind("plugin");
  plugin.set_name("edr");
  plugin.set_version("1.0.0");
  plugin.set_sha256(crypto::Sha256("edr"));
  plugin.set_descriptor_json(R"({"name":"edr","version":"1.0.0","actions":[
    {"name":"restore","summary":"Restores","effect":"change","undoable":false,"protected":false,"restores":true,"timeout":"1m",
     "params":{"type":"object","additionalProperties":false,"required":["manifest_sha256"],
               "properties":{"manifest_sha256":{"type":"string"}}}}]})");
  desk.coordinator.Answer("ListBlobs", blobs);
  ops::RecoveryPointList points;
  auto& point = *points.add_points();
  point.set_host("ws-001");
  point.set_at_ms(kNoon);
  point.mutable_verdict()->set_set("planning");
  point.mutable_verdict()->set_point("d1");
  point.mutable_verdict()->set_verdict(model::v1::BACKUP_VERDICT_INTACT_SAMPLED);
  point.mutable_verdict()->set_taken_ms(kNoon - 240 * kHour);
  point.mutable_verdict()->set_manifest_sha256(crypto::Sha256("d1"));
  desk.coordinator.Answer("ListRecoveryPoints", points);
  EXPECT_EQ(desk.Plan({"--submit"}), kExitChangesPending) << desk.Err();
  EXPECT_THAT(desk.Out(), HasSubstr("next: 1 signature, and of whoever decided: carol (concession payroll about planning/d1): "
                                    "`reprise approve back-"));
}

TEST(Plan, AsksForASignatureWhereWhatOnlyReadsIsToServeForDays) {
  Planning desk(kLooking);
  EXPECT_EQ(desk.Plan({"--submit", "--expires", "3d"}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("longer than agents allow"), HasSubstr("reprise approve look-")));
}

TEST(Plan, SubmitsWhatWasCompiledHere) {
  Planning desk;
  EXPECT_EQ(desk.Plan({"--submit", "--exercise", "--expires", "2h", "-p", "version=5.0"}), kExitChangesPending)
      << desk.Err();
  const auto index = engine::PlanIndex::Read(desk.coordinator.Last<ops::SubmitPlanRequest>("SubmitPlan").bundle());
  ASSERT_OK(index);
  EXPECT_EQ(index->header.requester(), "bob");
  EXPECT_TRUE(index->header.exercise());
  EXPECT_EQ(index->header.expires_ms() - index->header.created_ms(), 2 * kHour);
  EXPECT_THAT(index->header.stages(0).steps(1).params_json(), HasSubstr("5.0"));
  EXPECT_EQ(index->leaves.size(), 2);
  EXPECT_THAT(desk.Out(), HasSubstr("reprise approve " + index->header.plan_id()));
  // The inventory was the coordinator's already.
  EXPECT_TRUE(desk.coordinator.Heard<ops::ImportInventoryRequest>("ImportInventory").empty());
}

TEST(Plan, DeclaresTheInventoryWhenItDiffersAndSaysSo) {
  Planning desk;
  desk.hosts.mutable_hosts()->RemoveLast();
  EXPECT_EQ(desk.Plan({"--submit"}), kExitChangesPending) << desk.Err();
  const auto declared = desk.coordinator.Last<ops::ImportInventoryRequest>("ImportInventory");
  EXPECT_EQ(declared.hosts_size(), 3);
  EXPECT_EQ(declared.source(), "hr1");
  EXPECT_THAT(desk.Err(), HasSubstr("was declared"));
  const auto methods = desk.coordinator.Methods();
  EXPECT_EQ(methods.back(), "SubmitPlan");
}

TEST(Plan, AsksBeforeHostsLeaveTheInventory) {
  Planning desk;
  *desk.hosts.add_hosts() = desk.hosts.hosts(2);
  desk.hosts.mutable_hosts(3)->set_name("ws-004");
  desk.terminal.answers = {"n"};
  EXPECT_EQ(desk.Plan({"--submit"}), kExitFailure);
  EXPECT_THAT(desk.terminal.questions, ElementsAre(HasSubstr("ws-004")));
  EXPECT_TRUE(desk.coordinator.Heard<ops::ImportInventoryRequest>("ImportInventory").empty());
  EXPECT_TRUE(desk.coordinator.Heard<ops::SubmitPlanRequest>("SubmitPlan").empty());
  desk.terminal.answers = {"y"};
  EXPECT_EQ(desk.Plan({"--submit"}), kExitChangesPending);
}

TEST(PlanDiff, ShowsChangesOfEachHostAndStep) {
  Planning desk;
  desk.Previews({kNone, kSome, kNone, kNone});
  EXPECT_EQ(desk.Plan({"--diff"}), kExitChangesPending);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("protect/install"), HasSubstr("package edr: nothing -> 4.2.1"),
                                HasSubstr("1 steps would change something, 3 nothing, 0 unknown")));
}

TEST(PlanDiff, EndsWellOnlyWhenEveryHostSaysNothingToDo) {
  Planning desk;
  desk.Previews({kNone, kNone, kNone, kNone});
  EXPECT_EQ(desk.Plan({"--diff"}), kExitOk);
}

TEST(PlanDiff, TellsAPluginsErrorAndItsSummaryInWords) {
  Planning desk;
  desk.Previews({R"({"changes":[{"what":"post","from":"out","to":"in"}],"summary":"4 of 4 posts are in"})", kNone, kNone,
                 R"({"error":{"code":"bad_params","message":"address is of no member","hint":"name one"}})"});
  EXPECT_EQ(desk.Plan({"--diff"}), kExitChangesPending);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("post: out -> in — 4 of 4 posts are in"),
                                HasSubstr("bad_params: address is of no member; try: name one")));
}

TEST(PlanDiff, NeverTakesUnknownForNoChange) {
  const std::vector<std::string> unknown[] = {{kNone, kNone, kNone, "not connected"},       // An error.
                                              {kNone, kNone, kNone},                        // No answer at all.
                                              {kNone, kNone, kNone, R"({"summary":"?"})"},  // No list of changes.
                                              {kNone, kNone, kNone, "{broken"}};
  for (const auto& answers : unknown) {
    Planning desk;
    desk.Previews(answers);
    EXPECT_EQ(desk.Plan({"--diff"}), kExitChangesPending);
    EXPECT_THAT(desk.Out(), AllOf(HasSubstr("ws-002"), HasSubstr("UNKNOWN"), HasSubstr("3 nothing, 1 unknown")));
  }
}

TEST(PlanDiff, EndsWithTheCallsErrorWhenItIsCut) {
  Planning desk;
  desk.coordinator.Fail("PreviewPlan", absl::ResourceExhaustedError("8 dry runs are under way"));
  EXPECT_EQ(desk.Plan({"--diff", "--submit"}), kExitFailure);
  EXPECT_TRUE(desk.coordinator.Heard<ops::SubmitPlanRequest>("SubmitPlan").empty());
}

TEST(Plan, GivesOneStableObjectAsJson) {
  Planning desk;
  desk.Previews({kNone, kSome, kNone, "not connected"});
  EXPECT_EQ(desk.Plan({"--diff", "--submit", "-o", "json"}), kExitChangesPending);
  const Json object = desk.OutJson();
  EXPECT_EQ(object["workflow"], "edr");
  EXPECT_EQ(object["submitted"], true);
  EXPECT_EQ(object["exit"], 3);
  ASSERT_EQ(object["diff"].size(), 4);
  EXPECT_EQ(object["diff"][1]["answer"], "changes");
  EXPECT_EQ(object["diff"][3]["answer"], "unknown");
  EXPECT_EQ(object["diff"][3]["error"], "not connected");
  EXPECT_EQ(object["offline"][0]["host"], "ws-002");
  EXPECT_EQ(desk.Plan({"-o", "json"}), kExitChangesPending);
  EXPECT_TRUE(desk.OutJson()["diff"].is_null());
}

TEST(Plan, ShowsWhatIsWrongWithTheDocumentsInTheirPlace) {
  Planning desk;
  desk.Write("workflow.yaml", std::string(kWorkflow) + "      - {name: again, uses: edr.instal}\n");
  EXPECT_EQ(desk.Plan(), kExitFailure);
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("workflow.yaml:12:"), HasSubstr("install")));
  EXPECT_EQ(desk.Out(), "");
  desk.Write("workflow.yaml", "apiVersion: [");
  EXPECT_EQ(desk.Plan(), kExitFailure);
}

TEST(Plan, TellsWrongFlagsFromWrongDocuments) {
  Planning desk;
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"-p", "version"},
                                             {"-p", "versoin=4"},
                                             {"-p", "version=4", "-p", "version=5"},
                                             {"--workflow", "edrr"},
                                             {"--expires", "soon"},
                                             {"--offline", "--submit"},
                                             {"--offline", "--diff"},
                                             {"--plugin", "edr.so"}}) {
    EXPECT_EQ(desk.Plan(wrong), kExitUsage) << ::testing::PrintToString(wrong) << desk.Err();
  }
}

TEST(Plan, AsksWhichOfSeveralWorkflows) {
  Planning desk;
  desk.Write("looking.yaml", kLooking);
  EXPECT_EQ(desk.Plan(), kExitUsage);
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("edr"), HasSubstr("look")));
  EXPECT_EQ(desk.Plan({"--workflow", "look"}), kExitOk) << desk.Err();
}

TEST(Plan, RefusesAKeyringThatIsNotTheSites) {
  Planning desk;
  const People others;
  ops::KeyringView view;
  for (const auto& statement : others.chain()) *view.add_chain() = statement;
  desk.coordinator.Answer("GetKeyring", view);
  EXPECT_EQ(desk.Plan(), kExitRefused);
}

TEST(Plan, WritesTheBytesThatWouldBeSubmitted) {
  Planning desk;
  const std::string file = desk.scratch / "edr.plan";
  EXPECT_EQ(desk.Plan({"--out", file, "--submit"}), kExitChangesPending);
  plan::v1::PlanBundle bundle;
  ASSERT_TRUE(bundle.ParseFromString(*ReadFile(file)));
  EXPECT_EQ(bundle.statement(), desk.coordinator.Last<ops::SubmitPlanRequest>("SubmitPlan").bundle().statement());
}

TEST(CompareInventory, DoesNotCompareWhatPeopleSigned) {
  Planning desk;
  plan::Diagnostics diagnostics;
  const plan::Dossier dossier = plan::ReadDossier(desk.dossier(), diagnostics);
  const auto compare = [&] {
    return CompareInventory(dossier.inventory, {desk.hosts.hosts().begin(), desk.hosts.hosts().end()});
  };
  EXPECT_FALSE(compare().any());
  desk.hosts.mutable_hosts(0)->set_zone(model::v1::ZONE_REBUILT);  // Admitted: by a statement.
  EXPECT_FALSE(compare().any());
  desk.hosts.mutable_hosts(2)->set_zone(model::v1::ZONE_REBUILT);  // As declared.
  EXPECT_EQ(compare().changed, 1);
  desk.hosts.mutable_hosts(0)->add_labels()->set_key("site");
  EXPECT_EQ(compare().changed, 2);
}

}  // namespace
}  // namespace reprise::cli::testing
