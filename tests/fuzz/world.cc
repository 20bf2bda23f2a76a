#include "tests/fuzz/world.h"

#include "core/crypto/sha256.h"
#include "tests/fuzz/same_keys.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/ward.h"

namespace reprise::fuzz {
namespace {

namespace mv1 = ::reprise::model::v1;
using engine::Command;
using engine::testing::HostName;

constexpr size_t kHosts = 3;

void Must(const absl::Status& status) { Check(status.ok(), "the world is sound:", status.ToString()); }

void BringIn(Ward& ward, const World& world, const std::string& host) {
  Command::Issue issue;
  auto& token = issue.tokens.emplace_back();
  token.set_host(host);
  token.set_secret_sha256(crypto::Sha256("secret of " + host));
  token.set_expires_ms(ward.now() + kHour);
  issue.join_until = ward.now() + kHour;
  Must(ward.Do("alice", issue));
  engine::EnrolRequested enrol;
  enrol.host = host;
  enrol.token_sha256 = crypto::Sha256("secret of " + host);
  ward.Decide(enrol);
  operators::v1::HostStatementsRequest admission;
  *admission.add_statements() = agents::testing::Admission(world.people, host);
  Must(ward.Do("alice", admission));
  agent::v1::Hello hello;
  hello.set_keyring_version(1);
  hello.set_host_statement_serial(1);
  ward.Connect(host, hello);
}

void Found(Ward& ward, const World& world) {
  ward.Decide(engine::Started{"test"});
  operators::v1::ExtendKeyringRequest keyring;
  *keyring.mutable_statement() = world.people.chain().front();
  Must(ward.Do("alice", keyring));
  operators::v1::ImportInventoryRequest inventory;
  for (size_t i = 1; i <= kHosts; ++i) {
    auto& host = *inventory.add_hosts();
    host.set_name(HostName(i));
    host.set_zone(mv1::ZONE_DIRTY);
    host.set_asset_class(mv1::ASSET_CLASS_WORKSTATION);
    host.set_trust(mv1::TRUST_STATE_UNKNOWN);
    host.set_agent_expected(true);
  }
  Must(ward.Do("alice", inventory));
  for (size_t i = 1; i <= kHosts; ++i) BringIn(ward, world, HostName(i));
  plan::v1::BlobInfo plugin;
  plugin.set_kind("plugin");
  plugin.set_name("mock");
  plugin.set_version("1.0.0");
  plugin.set_sha256(crypto::Sha256("the plugin's bytes"));
  plugin.set_descriptor_json("{}");
  *plugin.mutable_signature() = world.people.Sign("the plugin's bytes", "alice");
  Must(ward.Do("alice", plugin));
}

void Launch(Ward& ward, const engine::testing::PlanDraft& draft) {
  operators::v1::SubmitPlanRequest submit;
  *submit.mutable_bundle() = draft.Bundle();
  Must(ward.Do("bob", submit));
  if (draft.effect != mv1::EFFECT_READ) {
    Must(ward.Do("alice", Command::SignPlan{draft.header.plan_id(), draft.Sign("alice")}));
  }
  Must(ward.Do("bob", Command::StartRun{draft.header.plan_id()}));
}

// Any parameters do: what a schema refuses is another subject.
void AddPlugin(plan::Catalog& catalog, const std::string& name,
               const std::vector<std::pair<const char*, mv1::Effect>>& actions) {
  plan::PluginSpec& plugin = catalog.plugins.emplace_back();
  plugin.name = name;
  plugin.version = "1.0.0";
  plugin.sha256 = crypto::Sha256(name);
  for (const auto& [action, effect] : actions) {
    plugin.actions.push_back({.name = action,
                              .summary = "something",
                              .effect = effect,
                              .undoable = effect == mv1::EFFECT_CHANGE,
                              .protected_class = effect == mv1::EFFECT_READ,
                              .timeout_ms = 60'000,
                              .params_schema = plan::Json::parse(R"({"type":"object"})")});
  }
}

}  // namespace

World::World()
    : campaign(people), hunt(people, mv1::EFFECT_READ, "hunt-00000001"), agents_plan(people) {
  campaign.header.mutable_limits()->set_per_host_max(2);
  auto& protect = campaign.AddStage("protect", {1, 2});
  campaign.AddGate(protect, "canary-is-sound", 1);
  campaign.AddStep(protect, "install").set_retries(2);
  campaign.AddStep(protect, "check").set_on_failure(mv1::ON_FAILURE_ROLLBACK);
  auto& after = campaign.AddStage("after", {3}, {0});
  after.mutable_wave_budget()->set_max_failures(1);
  campaign.AddStep(after, "isolate").set_on_failure(mv1::ON_FAILURE_CONTINUE);
  hunt.header.mutable_limits()->set_per_host_max(2);
  hunt.AddStep(hunt.AddStage("look", {3}), "scan");

  Ward ward(kNoon + kHour);
  Found(ward, *this);
  Launch(ward, campaign);
  Launch(ward, hunt);
  now = ward.now();
  events = ward.events();
  state = ward.engine().state();
  sessions = ward.sessions();
  for (const auto& [host, waiting] : ward.tasks()) {
    if (!waiting.empty()) tasks[host] = waiting.front();
  }

  agents_plan.AddGate("go");
  spool = agents::testing::EnrolledRecords(people);
  *spool.emplace_back().mutable_host_statement() = agents::testing::Admission(people);

  AddPlugin(catalog, "edr", {{"install", mv1::EFFECT_CHANGE}, {"isolate", mv1::EFFECT_CHANGE},
                             {"heartbeat", mv1::EFFECT_READ}, {"scan", mv1::EFFECT_READ}, {"wipe", mv1::EFFECT_DESTROY}});
  AddPlugin(catalog, "host", {{"facts", mv1::EFFECT_READ}});
  AddPlugin(catalog, "mock", {{"touch", mv1::EFFECT_CHANGE}});
}

const World& TheWorld() {
  static const bool drawn = (DrawTheSameKeys(), true);  // Before the first key.
  static const World world;
  Check(drawn, "keys are the same");
  return world;
}

}  // namespace reprise::fuzz
