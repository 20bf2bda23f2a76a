#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>

#include "tests/fuzz/seeds.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/ward.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

namespace mv1 = ::reprise::model::v1;
using engine::testing::PlanDraft;

std::string Journal(const std::vector<journal::v1::Event>& events, size_t first, size_t count) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  for (size_t i = first; i < events.size() && i < first + count; ++i) {
    google::protobuf::util::SerializeDelimitedToZeroCopyStream(events[i], &stream);
  }
  return bytes;
}

// The world, gone on for a while.
Ward Later(size_t tasks, size_t wakes) {
  Ward ward(TheWorld().state, TheWorld().sessions, TheWorld().now);
  ward.Decide(engine::Started{"test"});
  for (const char* host : {"ws-001", "ws-002", "ws-003"}) {
    agent::v1::Hello hello;
    hello.set_keyring_version(1);
    hello.set_host_statement_serial(1);
    ward.Connect(host, hello);
  }
  ward.Obey(tasks);
  ward.Wake(wakes);
  return ward;
}

}  // namespace

std::vector<std::string> KeyringSeeds() {
  const World& world = TheWorld();
  agent::v1::KeyringUpdate first, chain;
  *first.add_statements() = world.people.chain().front();
  chain = first;
  std::vector<model::Operator> operators;
  model::Keyring keyring = world.people.Keyring();
  for (const auto& [name, person] : keyring.operators()) operators.push_back(person);
  for (const char* revoked : {"carol", "bob"}) {
    for (auto& person : operators) person.active = person.active && person.name != revoked;
    const auto next = world.people.Signed(keyring.Next(operators, keyring.policy(), kNoon), {"alice", "bob"});
    const absl::Status extended = keyring.Extend(next);
    Check(extended.ok(), "the chain of the seeds is sound:", extended.ToString());
    *chain.add_statements() = next;
  }
  return {Bytes(first), Bytes(chain)};
}

std::vector<std::string> AgentBatchSeeds() {
  const World& world = TheWorld();
  const agent::v1::TaskKey key = world.tasks.at("ws-001").key();
  std::vector<std::string> seeds;
  const auto add = [&](const auto& fill) {
    agent::v1::AgentBatch batch;
    fill(batch);
    seeds.push_back(Bytes(batch));
  };
  const auto finish = [&](agent::v1::AgentBatch& batch, mv1::Outcome outcome) {
    *batch.add_messages()->mutable_accepted()->mutable_key() = key;
    auto& progress = *batch.add_messages()->mutable_progress();
    *progress.mutable_key() = key;
    progress.set_fraction(0.5);
    auto& finished = *batch.add_messages()->mutable_finished();
    *finished.mutable_key() = key;
    finished.set_outcome(outcome);
    finished.set_reason("done");
    finished.set_code("code");
    finished.set_evidence_json("{}");
    finished.set_started_ms(kNoon);
    finished.set_duration_ms(900);
    auto& claim = *finished.add_claims();
    claim.set_name("edr.protected");
    claim.set_state(mv1::CLAIM_STATE_HOLDS);
  };
  for (const auto outcome : {mv1::OUTCOME_CHANGED, mv1::OUTCOME_FAILED, mv1::OUTCOME_REFUSED, mv1::OUTCOME_CANCELLED}) {
    add([&](agent::v1::AgentBatch& batch) { finish(batch, outcome); });
  }
  add([&](agent::v1::AgentBatch& batch) {
    auto& hello = *batch.add_messages()->mutable_hello();
    hello.set_agent_version("1");
    hello.set_keyring_version(1);
    hello.set_host_statement_serial(1);
    hello.set_stop_serial(1);
    *hello.add_in_flight() = key;
    hello.add_plans(key.plan_id());
    finish(batch, mv1::OUTCOME_UNCHANGED);
    batch.add_messages()->mutable_heartbeat();
  });
  add([&](agent::v1::AgentBatch& batch) {
    batch.add_messages()->mutable_facts()->set_facts_json(R"({"os":"debian"})");
    batch.add_messages()->mutable_stop_confirmed()->set_serial(1);
    batch.add_messages()->mutable_preview()->set_request(1);
  });
  return seeds;
}

std::vector<std::string> CoordinatorBatchSeeds() {
  const World& world = TheWorld();
  agent::v1::CoordinatorBatch work, talk;
  work.add_messages()->mutable_welcome()->set_keyring_version(1);
  auto& task = *work.add_messages()->mutable_task();
  task = world.agents_plan.Task();
  *task.add_gates() = world.agents_plan.Decision("go", "alice");
  agent::v1::CoordinatorBatch again = work;
  *again.add_messages()->mutable_task() = world.agents_plan.Task(2);
  *again.add_messages()->mutable_cancel()->mutable_key() = world.agents_plan.Key();
  *again.add_messages()->mutable_acknowledged()->mutable_key() = world.agents_plan.Key();
  auto& stop = *talk.add_messages()->mutable_stop();
  stop.set_serial(3);
  stop.set_active(true);
  stop.set_reason("smoke");
  *talk.add_messages()->mutable_task() = task;
  *talk.add_messages()->mutable_host_statement() = agents::testing::Admission(
      world.people, "ws-001", [](model::HostStatement& statement) { statement.serial = 2; });
  *talk.add_messages()->mutable_keyring()->add_statements() = world.people.chain().front();
  talk.add_messages()->mutable_read_facts();
  auto& preview = *talk.add_messages()->mutable_preview();
  preview.set_request(1);
  auto& step = *preview.add_steps();
  step.set_action("install");
  step.set_params_json("{}");
  step.mutable_plugin()->set_kind("plugin");
  step.mutable_plugin()->set_name("mock");
  step.mutable_plugin()->set_sha256(crypto::Sha256("the plugin's bytes"));
  *step.mutable_plugin()->mutable_signature() = world.people.Sign("the plugin's bytes", "alice");
  return {Bytes(work), Bytes(again), Bytes(talk)};
}

std::vector<std::string> PlanSeeds() {
  const World& world = TheWorld();
  PlanDraft change(world.people, mv1::EFFECT_CHANGE, "edr-00000007");
  change.header.mutable_limits()->set_per_host_max(1);
  change.header.mutable_limits()->set_in_flight_max(2);
  change.header.mutable_limits()->mutable_budget()->set_max_percent(50);
  auto& capacity = *change.header.add_capacities();
  capacity.set_token("link");
  capacity.set_amount(2);
  auto& stage = change.AddStage("one", {1, 1, 1});
  stage.mutable_wave_budget()->set_max_failures(1);
  change.AddGate(stage, "before", -1);
  change.AddGate(stage, "after-canary", 1, 2).add_approvers("carol");
  auto& step = change.AddStep(stage, "install");
  step.set_retries(3);
  step.set_backoff_max_ms(20'000);
  step.set_on_failure(mv1::ON_FAILURE_ROLLBACK);
  *step.add_tokens() = capacity;
  change.AddStep(change.AddStage("two", {2}, {0}), "check");
  PlanDraft read(world.people, mv1::EFFECT_READ, "scan-00000009");
  auto& look = read.AddStage("look", {3});
  for (const char* name : {"a", "b"}) read.AddStep(look, name).set_on_failure(mv1::ON_FAILURE_CONTINUE);
  look.set_in_flight_max(1);
  return {Bytes(change.Bundle()), Bytes(read.Bundle())};
}

std::vector<std::string> EventsSeeds() {
  const Ward later = Later(6, 3);
  std::vector<std::string> seeds = {Journal(later.events(), 0, 8)};
  for (size_t first = 0; first < later.events().size(); first += 4) {
    // All that came before, so that it is legal.
    seeds.push_back(Journal(later.events(), 0, first + 4));
  }
  seeds.push_back(Journal(TheWorld().events, 0, 6));
  return seeds;
}

std::vector<std::string> StateSeeds() {
  std::vector<std::string> seeds = {Bytes(TheWorld().state)};
  for (const size_t tasks : {2, 6, 20}) {
    seeds.push_back(Later(tasks, tasks).engine().Snapshot());
  }
  return seeds;
}

}  // namespace reprise::fuzz
