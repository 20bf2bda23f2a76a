// A real coordinator in this process, on free ports, over a folder of its own; people with keys and certificates, and
// agents that say what the test says. Everything goes over mTLS.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/coordinator/coordinator.h"
#include "core/journal/founding.h"
#include "core/trust/certificate_request.h"
#include "core/trust/coordinator_folder.h"
#include "reprise/agent/v1/agent_service.grpc.pb.h"
#include "reprise/operators/v1/operators_service.grpc.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/engine/plan_draft.h"
#include "tests/unit/core/web/https_client.h"

namespace reprise::coordinator::testing {

namespace ops = operators::v1;
namespace engine_testing = engine::testing;

// What the tests' plans were made for does not matter to TLS: certificates are of this time.
class TestFolder {
 public:
  TestFolder() {
    std::string name = std::filesystem::temp_directory_path() / "coordinator-test-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Site {
 public:
  Site() : folder(scratch.path() / "site") {
    trust::CoordinatorConfig config;
    config.site = "test";
    config.listen = config.web_listen = config.join_listen = "127.0.0.1:0";
    EXPECT_OK(folder.Create(config, clock.Now()));
    EXPECT_OK(journal::FoundJournal(folder.Journal(), people.chain().front(), "alice", clock.Now()));
    authority.emplace(*folder.LoadAuthority());
    Start();
  }

  void Start() {
    auto started = Coordinator::Start({folder.path(), "", "", ""}, clock, random);
    ASSERT_OK(started);
    coordinator = *std::move(started);
  }
  void Stop() { coordinator.reset(); }

  // ---- who calls ----

  struct Identity {
    std::string key;
    std::string certificate;
  };
  Identity NewOperator(const std::string& name) const {
    const std::string key = *trust::NewKey();
    return {key, *authority->IssueOperator(*trust::NewRequest(key, name), name, clock.Now())};
  }
  Identity NewHost(const std::string& name) const {
    const std::string key = *trust::NewKey();
    return {key, *authority->IssueHost(*trust::NewRequest(key, name), name, clock.Now())};
  }
  std::shared_ptr<grpc::Channel> ChannelOf(const Identity& identity) const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = authority->certificate();
    options.pem_private_key = identity.key;
    options.pem_cert_chain = identity.certificate;
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride(trust::kServerDnsName);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(coordinator->port()), grpc::SslCredentials(options),
                                     arguments);
  }
  std::unique_ptr<ops::OperatorService::Stub> As(const std::string& person) const {
    return ops::OperatorService::NewStub(ChannelOf(NewOperator(person)));
  }

  // Calls Method(request) as `person`; the answer, or an empty one with the status in `last`.
  template <class Response, class Request>
  Response Call(const std::string& person,
                grpc::Status (ops::OperatorService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    Response response;
    last = ((*As(person)).*method)(&context, request, &response);
    return response;
  }

  // ---- the way of a host ----

  void Declare(const std::string& host) {
    ops::ImportInventoryRequest request;
    request.set_source("test");
    auto& declared = *request.add_hosts();
    declared.set_name(host);
    declared.set_zone(model::v1::ZONE_DIRTY);
    declared.set_asset_class(model::v1::ASSET_CLASS_WORKSTATION);
    declared.set_trust(model::v1::TRUST_STATE_UNKNOWN);
    declared.set_agent_expected(true);
    const auto response = Call("alice", &ops::OperatorService::Stub::ImportInventory, request);
    ASSERT_TRUE(last.ok()) << last.error_message();
    EXPECT_EQ(response.added(), 1);
  }
  ops::IssuedToken Token(const std::string& host) {
    ops::IssueTokensRequest request;
    request.add_hosts(host);
    const auto response = Call("alice", &ops::OperatorService::Stub::IssueTokens, request);
    EXPECT_TRUE(last.ok()) << last.error_message();
    return response.tokens_size() == 1 ? response.tokens(0) : ops::IssuedToken();
  }
  web::testing::Answer Join(const std::string& host, const std::string& secret, const std::string& key) const {
    const nlohmann::json body = {{"host", host}, {"secret", secret}, {"csr", *trust::NewRequest(key, host)}};
    return web::testing::Ask(coordinator->join_port(), "POST", "/v1/join", body.dump());
  }
  static std::string SecretOf(const ops::IssuedToken& token) {
    const size_t begin = token.join_code().find(':') + 1;
    return token.join_code().substr(begin, token.join_code().find(':', begin) - begin);
  }
  Identity Enrol(const std::string& host) {
    Identity identity{*trust::NewKey(), ""};
    const auto answer = Join(host, SecretOf(Token(host)), identity.key);
    EXPECT_EQ(answer.status, 200) << answer.problem << answer.body;
    const auto object = nlohmann::json::parse(answer.body, nullptr, false);
    if (object.is_object()) identity.certificate = object.value("certificate", "");
    return identity;
  }
  void Admit(const std::string& host) {
    model::HostStatement statement;
    statement.host = host;
    statement.serial = 1;
    statement.zone = model::v1::ZONE_DIRTY;
    statement.asset_class = model::v1::ASSET_CLASS_WORKSTATION;
    statement.trust = model::v1::TRUST_STATE_UNKNOWN;
    statement.issued = clock.Now() / 1000 * 1000;
    ops::HostStatementsRequest request;
    *request.add_statements() = people.Signed(statement.Write(), {"alice"});
    Call("alice", &ops::OperatorService::Stub::RecordHostStatements, request);
    ASSERT_TRUE(last.ok()) << last.error_message();
  }

  TestFolder scratch;
  SystemClock clock;
  SystemRandom random;
  engine_testing::People people;
  trust::CoordinatorFolder folder;
  std::optional<trust::CertificateAuthority> authority;
  std::unique_ptr<Coordinator> coordinator;
  grpc::Status last;
};

// An agent's stream, spoken by hand.
class Agent {
 public:
  Agent(const Site& site, const Site::Identity& identity, agent::v1::Hello hello = {})
      : stub_(agent::v1::AgentService::NewStub(site.ChannelOf(identity))) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    stream_ = stub_->Connect(&context_);
    agent::v1::AgentMessage message;
    *message.mutable_hello() = hello;
    Say(message);
  }
  ~Agent() {
    if (finished_) return;
    context_.TryCancel();
    stream_->Finish();
  }
  Agent(const Agent&) = delete;

  void Say(const agent::v1::AgentMessage& message) {
    agent::v1::AgentBatch batch;
    *batch.add_messages() = message;
    stream_->Write(batch);
  }
  // The next message that has `kind`; others are passed over. Nothing: the stream ended.
  std::optional<agent::v1::CoordinatorMessage> Next(agent::v1::CoordinatorMessage::KindCase kind) {
    for (;;) {
      while (!waiting_.empty()) {
        agent::v1::CoordinatorMessage message = waiting_.front();
        waiting_.pop_front();
        if (message.kind_case() == kind) return message;
      }
      agent::v1::CoordinatorBatch batch;
      if (!stream_->Read(&batch)) return std::nullopt;
      for (auto& message : *batch.mutable_messages()) waiting_.push_back(message);
    }
  }
  grpc::Status Finish() {
    finished_ = true;
    return stream_->Finish();
  }

 private:
  std::unique_ptr<agent::v1::AgentService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<agent::v1::AgentBatch, agent::v1::CoordinatorBatch>> stream_;
  std::deque<agent::v1::CoordinatorMessage> waiting_;
  bool finished_ = false;
};

}  // namespace reprise::coordinator::testing
