// A coordinator's engine with a small hospital around it, moved by hand: the journal is a vector, agents say what the
// test says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/engine/plan_draft.h"

namespace reprise::engine::testing {

class Hospital {
 public:
  // Hosts ws-001 … are declared, enrolled, admitted and connected.
  explicit Hospital(size_t hosts) {
    Decide(Started{"test"});
    operators::v1::ExtendKeyringRequest keyring;
    *keyring.mutable_statement() = people.chain().front();
    EXPECT_OK(Do("alice", keyring));
    operators::v1::ImportInventoryRequest inventory;
    for (size_t i = 1; i <= hosts; ++i) *inventory.add_hosts() = Declared(HostName(i));
    EXPECT_OK(Do("alice", inventory));
    for (size_t i = 1; i <= hosts; ++i) {
      EXPECT_OK(Enrol(HostName(i)));
      Admit(HostName(i));
      Connect(HostName(i));
    }
    plan::v1::BlobInfo plugin;
    plugin.set_kind("plugin");
    plugin.set_name("mock");
    plugin.set_version("1.0.0");
    plugin.set_sha256(crypto::Sha256("the plugin's bytes"));
    plugin.set_descriptor_json("{}");
    plugin.mutable_signature()->set_minisig("of the plugin");
    EXPECT_OK(Do("alice", plugin));
    Forget();
  }

  static journal::v1::InventoryHost Declared(const std::string& name) {
    journal::v1::InventoryHost host;
    host.set_name(name);
    host.set_zone(v1::ZONE_DIRTY);
    host.set_asset_class(v1::ASSET_CLASS_WORKSTATION);
    host.set_trust(v1::TRUST_STATE_UNKNOWN);
    host.set_agent_expected(true);
    return host;
  }
  absl::Status Enrol(const std::string& host) {
    Command::Issue issue;
    auto& token = issue.tokens.emplace_back();
    token.set_host(host);
    token.set_secret_sha256(crypto::Sha256("secret of " + host));
    token.set_expires_ms(now + kHour);
    issue.join_until = now + kHour;
    EXPECT_OK(Do("alice", issue));
    return Join(host);
  }
  absl::Status Join(const std::string& host) {
    EnrolRequested request;
    request.ticket = ++ticket_;
    request.host = host;
    request.token_sha256 = crypto::Sha256("secret of " + host);
    Decide(request);
    return last_reply.status;
  }
  void Admit(const std::string& host, uint64_t serial = 1,
             const std::function<void(model::HostStatement&)>& change = {}) {
    operators::v1::HostStatementsRequest request;
    *request.add_statements() = agents::testing::Admission(people, host, [&](model::HostStatement& statement) {
      statement.serial = serial;
      if (change) change(statement);
    });
    EXPECT_OK(Do("alice", request));
  }

  // ---- agents ----

  void Connect(const std::string& host, agent::v1::Hello hello = {}) {
    if (hello.keyring_version() == 0) hello.set_keyring_version(1);
    if (hello.host_statement_serial() == 0) hello.set_host_statement_serial(1);
    Decide(SessionOpened{host, ++session_, hello, "10.0.0.1"});
    sessions[host] = session_;
  }
  void Disconnect(const std::string& host) { Decide(SessionClosed{host, sessions[host], "cut"}); }
  void Say(const std::string& host, const agent::v1::AgentMessage& message) {
    Decide(AgentSaid{host, sessions[host], message});
  }
  void Accept(const agent::v1::Task& task, const std::string& host) {
    agent::v1::AgentMessage message;
    *message.mutable_accepted()->mutable_key() = task.key();
    Say(host, message);
  }
  void Finish(const agent::v1::Task& task, const std::string& host, v1::Outcome outcome = v1::OUTCOME_CHANGED,
              const std::string& code = "") {
    agent::v1::AgentMessage message;
    auto& finished = *message.mutable_finished();
    *finished.mutable_key() = task.key();
    finished.set_outcome(outcome);
    finished.set_code(code);
    finished.set_reason(code);
    Say(host, message);
  }
  // Takes the oldest task that was sent to the host and is not yet taken.
  agent::v1::Task Take(const std::string& host) {
    auto& waiting = tasks[host];
    EXPECT_FALSE(waiting.empty()) << "nothing was sent to " << host;
    if (waiting.empty()) return {};
    agent::v1::Task task = waiting.front();
    waiting.pop_front();
    return task;
  }
  // Takes, accepts and ends it.
  agent::v1::Task Run(const std::string& host, v1::Outcome outcome = v1::OUTCOME_CHANGED,
                      const std::string& code = "") {
    agent::v1::Task task = Take(host);
    Accept(task, host);
    Finish(task, host, outcome, code);
    return task;
  }
  // Every agent succeeds in whatever it is sent, until nothing is sent any more.
  void RunAll() {
    for (bool again = true; again;) {
      again = false;
      for (auto& [host, waiting] : tasks) {
        while (!waiting.empty()) {
          again = true;
          Run(host);
        }
      }
    }
  }
  std::vector<std::string> Busy() const {
    std::vector<std::string> hosts;
    for (const auto& [host, waiting] : tasks) {
      if (!waiting.empty()) hosts.push_back(host);
    }
    return hosts;
  }

  // ---- people ----

  template <typename Request>
  absl::Status Do(const std::string& person, const Request& request) {
    Command command;
    command.ticket = ++ticket_;
    command.operator_name = person;
    command.request = request;
    last_reply = {};
    Decide(command);
    EXPECT_EQ(last_reply.ticket, ticket_) << "every command is answered";
    return last_reply.status;
  }
  absl::Status Submit(const PlanDraft& draft) {
    operators::v1::SubmitPlanRequest request;
    *request.mutable_bundle() = draft.Bundle();
    return Do(draft.header.requester(), request);
  }
  absl::Status Sign(const PlanDraft& draft, const std::string& name) {
    return Do(name, Command::SignPlan{draft.header.plan_id(), draft.Sign(name)});
  }
  absl::Status Start(const PlanDraft& draft) {
    return Do(draft.header.requester(), Command::StartRun{draft.header.plan_id()});
  }
  void Launch(const PlanDraft& draft) {
    ASSERT_OK(Submit(draft));
    if (draft.effect != v1::EFFECT_READ) {
      ASSERT_OK(Sign(draft, "alice"));
    }
    ASSERT_OK(Start(draft));
  }
  absl::Status SignGate(const plan::v1::SignedStatement& decision, const std::string& person = "alice") {
    operators::v1::SignGateRequest request;
    *request.mutable_statement() = decision;
    return Do(person, request);
  }

  // ---- the world ----

  void Decide(const Input& input) {
    Decision decision = engine.Decide(input, now);
    for (auto& event : decision.events) journal.push_back(std::move(event));
    for (Effect& effect : decision.effects) {
      if (auto* send = std::get_if<SendToAgent>(&effect)) {
        if (send->message.has_task()) tasks[send->host].push_back(send->message.task());
        sent[send->host].push_back(std::move(send->message));
      }
      if (auto* reply = std::get_if<Reply>(&effect)) last_reply = *reply;
      if (auto* drop = std::get_if<DropSession>(&effect)) dropped.push_back(*drop);
      if (auto* window = std::get_if<SetJoinWindow>(&effect)) join_until = window->until;
    }
  }
  // Lets time pass, waking the engine whenever it asks for it.
  void Pass(int64_t ms) {
    const UnixMs until = now + ms;
    while (engine.NextWake() <= until) {
      now = std::max(now, engine.NextWake());
      Decide(Tick{});
    }
    now = until;
  }
  void Forget() {
    sent.clear();
    tasks.clear();
    dropped.clear();
  }
  // The coordinator dies and comes back with what its journal holds. Nobody is connected.
  void Crash() {
    Engine again;
    for (const auto& event : journal) {
      const absl::Status status = again.Apply(event);
      ASSERT_TRUE(status.ok()) << status;
    }
    ASSERT_EQ(again.Snapshot(), engine.Snapshot());
    engine = std::move(again);
    Forget();
    Decide(Started{"test"});
  }

  const journal::v1::RunRecord& RunOf(uint64_t id = 1) const { return *engine.FindRun(id); }
  const journal::v1::TargetRecord& Target(size_t host, int stage = 0, uint64_t run = 1) const {
    const auto& plan = *engine.FindPlan(RunOf(run).plan_id());
    for (const auto& target : RunOf(run).stages(stage).targets()) {
      if (plan.leaves[target.host()].host() == HostName(host)) return target;
    }
    ADD_FAILURE() << "no such target";
    return RunOf(run).stages(stage).targets(0);
  }
  std::vector<agent::v1::CoordinatorMessage> SentTo(const std::string& host) const {
    const auto found = sent.find(host);
    return found == sent.end() ? std::vector<agent::v1::CoordinatorMessage>{} : found->second;
  }
  size_t Acknowledged(const std::string& host) const {
    const auto messages = SentTo(host);
    return static_cast<size_t>(std::count_if(messages.begin(), messages.end(),
                                             [](const auto& message) { return message.has_acknowledged(); }));
  }
  size_t Cancelled(const std::string& host) const {
    const auto messages = SentTo(host);
    return static_cast<size_t>(
        std::count_if(messages.begin(), messages.end(), [](const auto& message) { return message.has_cancel(); }));
  }

  People people;
  Engine engine;
  UnixMs now = kNoon + kHour;
  std::vector<journal::v1::Event> journal;
  std::map<std::string, std::deque<agent::v1::Task>> tasks;
  std::map<std::string, std::vector<agent::v1::CoordinatorMessage>> sent;
  std::map<std::string, uint64_t> sessions;
  std::vector<DropSession> dropped;
  Reply last_reply;
  UnixMs join_until = 0;

 private:
  uint64_t ticket_ = 0;
  uint64_t session_ = 0;
};

}  // namespace reprise::engine::testing
