// A whole agent, but for its plugins, before a real gRPC server with mutual TLS.
#include "agents/daemon/agent.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "agents/daemon/join.h"
#include "reprise/agent/v1/agent_service.grpc.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/agents/daemon/temporary_folder.h"
#include "tests/unit/agents/daemon/test_authority.h"
#include "tests/unit/agents/engine/signed_plan.h"

namespace reprise::daemon {
namespace {

using namespace agents::testing;  // NOLINT: the plan's words
using agent::v1::AgentMessage;
using agent::v1::CoordinatorMessage;
using testing::Eventually;
using testing::TemporaryFolder;
using testing::TestAuthority;

constexpr char kPlugin[] = "the plugin's bytes";

// Says what the test tells it to, keeps what it hears.
class FakeCoordinator final : public agent::v1::AgentService::Service {
 public:
  explicit FakeCoordinator(TestAuthority& authority, int port = 0)
      : FakeCoordinator(authority, authority.IssueServer(), port,
                        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY) {}
  // By these papers; `asks`: for what its callers have to show.
  FakeCoordinator(TestAuthority& authority, const TestAuthority::Issued& issued, int port,
                  grpc_ssl_client_certificate_request_type asks)
      : authority_(authority) {
    grpc::SslServerCredentialsOptions tls(asks);
    tls.pem_root_certs = authority.Pem();
    tls.pem_key_cert_pairs.push_back({issued.key, issued.certificate});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::SslServerCredentials(tls), &this->port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeCoordinator() override {
    {
      std::lock_guard lock(mutex_);
      down_ = true;
      changed_.notify_all();
    }
    server_->Shutdown(std::chrono::system_clock::now());
  }

  grpc::Status Connect(grpc::ServerContext* context,
                       grpc::ServerReaderWriter<agent::v1::CoordinatorBatch, agent::v1::AgentBatch>* stream) override {
    {
      std::lock_guard lock(mutex_);
      sessions_ += 1;
      over_ = false;
    }
    std::thread writer([&] {
      std::unique_lock lock(mutex_);
      for (;;) {
        changed_.wait(lock, [this] { return down_ || over_ || !to_say_.empty(); });
        if (down_ || over_) break;
        agent::v1::CoordinatorBatch batch;
        for (auto& message : to_say_) *batch.add_messages() = std::move(message);
        to_say_.clear();
        stream->Write(batch);
      }
      context->TryCancel();
    });
    agent::v1::AgentBatch batch;
    while (stream->Read(&batch)) {
      std::lock_guard lock(mutex_);
      for (auto& message : batch.messages()) heard_.push_back(message);
    }
    {
      std::lock_guard lock(mutex_);
      over_ = true;
      changed_.notify_all();
    }
    writer.join();
    return grpc::Status::OK;
  }
  grpc::Status Fetch(grpc::ServerContext*, const agent::v1::FetchRequest* request,
                     grpc::ServerWriter<agent::v1::FetchChunk>* writer) override {
    const std::string content = kPlugin;
    if (request->sha256() != crypto::Sha256(content)) return {grpc::StatusCode::NOT_FOUND, "no such file"};
    if (request->offset() > content.size()) return {grpc::StatusCode::OUT_OF_RANGE, "past the end"};
    agent::v1::FetchChunk chunk;
    chunk.set_total_size(content.size());
    chunk.set_data(content.substr(request->offset()));
    writer->Write(chunk);
    return grpc::Status::OK;
  }
  grpc::Status Renew(grpc::ServerContext*, const agent::v1::RenewRequest* request,
                     agent::v1::RenewResponse* response) override {
    response->set_certificate_pem(authority_.IssueFromRequest(request->csr_pem(), "ws-001", -60, 7200));
    return grpc::Status::OK;
  }

  void Say(CoordinatorMessage message) {
    std::lock_guard lock(mutex_);
    to_say_.push_back(std::move(message));
    changed_.notify_all();
  }
  void Cut() {
    std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  int Sessions() {
    std::lock_guard lock(mutex_);
    return sessions_;
  }
  std::vector<AgentMessage> Heard(AgentMessage::KindCase kind) {
    std::lock_guard lock(mutex_);
    std::vector<AgentMessage> found;
    for (const auto& message : heard_) {
      if (message.kind_case() == kind) found.push_back(message);
    }
    return found;
  }
  bool Waits(AgentMessage::KindCase kind, size_t count = 1) {
    return Eventually([&] { return Heard(kind).size() >= count; });
  }

  int port = 0;

 private:
  TestAuthority& authority_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<CoordinatorMessage> to_say_;
  std::deque<AgentMessage> heard_;
  int sessions_ = 0;
  bool over_ = false;
  bool down_ = false;
  std::unique_ptr<grpc::Server> server_;
};

class AgentTest : public ::testing::Test {
 protected:
  AgentTest() : coordinator(std::make_unique<FakeCoordinator>(authority)) { port = coordinator->port; }
  ~AgentTest() override { StopAgent(); }

  // Somebody else takes the coordinator's place, who asks for no papers.
  void Listen(TestAuthority& who, const TestAuthority::Issued& papers) {
    coordinator.reset();
    coordinator = std::make_unique<FakeCoordinator>(who, papers, port, GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    ASSERT_EQ(coordinator->port, port);
  }
  void Join(long from_s = -60, long until_s = 3600) {
    JoinOptions options;
    options.join_address = "127.0.0.1:1";
    options.connect_address = "127.0.0.1:" + std::to_string(port);
    options.code = "ws-001:S3CRET:" + authority.Fingerprint() + ":" + people.Keyring().fingerprint();
    options.state = folder.path() / "state";
    ASSERT_OK(RunJoin(options, [&](const JoinRequest& request) -> absl::StatusOr<JoinReply> {
      return JoinReply{authority.IssueFromRequest(request.csr, "ws-001", from_s, until_s), authority.Pem(),
                       people.chain(), ""};
    }));
  }
  void StartAgent() {
    AgentOptions options;
    options.state = folder.path() / "state";
    auto started = Agent::Start(
        options, [this](const AgentOptions&, const StateFolder&, const std::string&) -> absl::StatusOr<VerbRunner> {
          VerbRunner runner;
          runner.start = [this](const agents::VerbRequest& request, auto,
                                std::function<void(agents::VerbResult)> on_end) {
            std::lock_guard lock(mutex);
            verbs.push_back(request.verb);
            if (hang) return;
            agents::VerbResult result;
            result.id = request.id;
            result.end = agents::VerbEnd::kDone;
            result.start_delay_us = 500;
            result.result_json = request.verb == v1::VERB_APPLY   ? R"({"changed":true})"
                                 : request.verb == v1::VERB_PROBE ? R"({"holds":false})"
                                                                  : R"({"holds":true,"summary":"proven"})";
            on_end(result);
          };
          runner.kill = [](uint64_t) {};
          return runner;
        });
    ASSERT_OK(started);
    agent = *std::move(started);
    loop = std::thread([this] { agent->Run(); });
  }
  void StopAgent() {
    if (!agent) return;
    agent->Stop();
    loop.join();
    agent.reset();
  }
  CoordinatorMessage Welcome() {
    CoordinatorMessage message;
    message.mutable_welcome()->set_heartbeat_ms(100);
    return message;
  }
  void WelcomeAndAdmit() {
    coordinator->Say(Welcome());
    CoordinatorMessage admission;
    *admission.mutable_host_statement() = Admission(people);
    coordinator->Say(admission);
  }
  // A plan of now: the agent uses its real clock.
  CoordinatorMessage Task() {
    const UnixMs now = SystemClock().Now() / 1000 * 1000;
    plan.header.set_created_ms(now);
    plan.header.set_expires_ms(now + kHour);
    CoordinatorMessage message;
    *message.mutable_task() = plan.Task();
    return message;
  }

  People people;
  PlanMaker plan{people};
  TestAuthority authority;
  TemporaryFolder folder;
  std::unique_ptr<FakeCoordinator> coordinator;
  int port = 0;
  std::mutex mutex;
  std::vector<v1::Verb> verbs;
  bool hang = false;
  std::unique_ptr<Agent> agent;
  std::thread loop;
};

TEST_F(AgentTest, TakesATaskFetchesThePluginAndReportsTheOutcome) {
  Join();
  StartAgent();
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHello));
  WelcomeAndAdmit();
  coordinator->Say(Task());
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kFinished));
  const auto finished = coordinator->Heard(AgentMessage::kFinished)[0].finished();
  EXPECT_EQ(finished.outcome(), v1::OUTCOME_CHANGED) << finished.reason();
  EXPECT_EQ(coordinator->Heard(AgentMessage::kAccepted).size(), 1u);
  EXPECT_TRUE(coordinator->Waits(AgentMessage::kHeartbeat, 2));
  CoordinatorMessage facts;
  facts.mutable_read_facts();
  coordinator->Say(facts);
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kFacts));
}

TEST_F(AgentTest, ComesBackAfterACutAndReportsAgainUntilItIsAcknowledged) {
  Join();
  StartAgent();
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHello));
  WelcomeAndAdmit();
  coordinator->Say(Task());
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kFinished));
  coordinator->Cut();
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHello, 2));
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kFinished, 2));
  // Heard before the cut: beats after it are of a session that took it.
  const size_t before = coordinator->Heard(AgentMessage::kHeartbeat).size();
  CoordinatorMessage acknowledged;
  *acknowledged.mutable_acknowledged()->mutable_key() = plan.Key();
  coordinator->Say(acknowledged);
  coordinator->Say(Welcome());
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHeartbeat, before + 2));
  coordinator->Cut();
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHello, 3));
  coordinator->Say(Welcome());
  const size_t beats = coordinator->Heard(AgentMessage::kHeartbeat).size();
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHeartbeat, beats + 1));
  EXPECT_EQ(coordinator->Heard(AgentMessage::kFinished).size(), 2u);
}

TEST_F(AgentTest, OutlivesARestartOfTheCoordinator) {
  Join();
  StartAgent();
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHello));
  coordinator.reset();
  coordinator = std::make_unique<FakeCoordinator>(authority, port);
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHello));
}

TEST_F(AgentTest, ProbesWhatItsFormerLifeWasDoing) {
  Join();
  hang = true;
  StartAgent();
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHello));
  WelcomeAndAdmit();
  coordinator->Say(Task());
  ASSERT_TRUE(Eventually([this] {
    std::lock_guard lock(mutex);
    return verbs.size() == 1;
  }));
  StopAgent();
  hang = false;
  verbs.clear();
  StartAgent();
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHello, 2));
  EXPECT_EQ(coordinator->Heard(AgentMessage::kHello).back().hello().in_flight_size(), 1);
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kFinished));
  std::lock_guard lock(mutex);
  EXPECT_EQ(verbs[0], v1::VERB_PROBE);
}

TEST_F(AgentTest, RenewsItsCertificateAtHalfOfItsLife) {
  Join(-3600, 1800);
  const StateFolder state(folder.path() / "state");
  const std::string before = state.LoadIdentity()->certificate;
  StartAgent();
  ASSERT_TRUE(coordinator->Waits(AgentMessage::kHello));
  coordinator->Say(Welcome());
  ASSERT_TRUE(Eventually([&] { return state.LoadIdentity()->certificate != before; }));
  EXPECT_TRUE(Eventually([&] { return coordinator->Heard(AgentMessage::kHello).size() == 2; }, std::chrono::seconds(20)))
      << "a session with the new one ends what the old one was good for";
}

constexpr char kStranger[] = "Reprise CA of somebody else";

// ---- impostors: they ask their callers for nothing, so that silence is the agent's own doing ----

TEST_F(AgentTest, DoesNotSpeakToAServerOfAnotherAuthority) {
  TestAuthority rebuilt, stranger(kStranger);  // One has the same name.
  Join();
  for (TestAuthority* impostor : {&rebuilt, &stranger}) {
    Listen(*impostor, impostor->IssueServer());
    StartAgent();  // Its first try is at once.
    EXPECT_FALSE(Eventually([this] { return coordinator->Sessions() > 0; }, std::chrono::milliseconds(1500)));
    StopAgent();
  }
  Listen(authority, authority.IssueServer());
  StartAgent();
  EXPECT_TRUE(coordinator->Waits(AgentMessage::kHello)) << "to the same server with papers of its own authority it does";
}

TEST_F(AgentTest, DoesNotSpeakToAHostThatPlaysTheCoordinator) {
  Listen(authority, authority.IssueHost("ws-002"));
  Join();
  StartAgent();
  EXPECT_FALSE(Eventually([this] { return coordinator->Sessions() > 0; }, std::chrono::milliseconds(1500)));
  Listen(authority, authority.IssueServer());
  EXPECT_TRUE(coordinator->Waits(AgentMessage::kHello)) << "the authority was right, the name was not";
}

// The twin of the first: server and agent are as there, but that the agent pinned the other authority too.
TEST_F(AgentTest, WouldSpeakToSuchAServerHadItPinnedItsAuthority) {
  TestAuthority other(kStranger);
  Listen(other, other.IssueServer());
  Join();
  const StateFolder state(folder.path() / "state");
  auto identity = state.LoadIdentity();
  ASSERT_OK(identity);
  identity->ca += other.Pem();
  ASSERT_OK(state.SaveIdentity(*identity));
  StartAgent();
  EXPECT_TRUE(coordinator->Waits(AgentMessage::kHello));
}

TEST_F(AgentTest, RefusesAFolderWithoutEnrolmentAndOneInUse) {
  AgentOptions options;
  options.state = folder.path() / "state";
  const auto no_runner = [](const AgentOptions&, const StateFolder&, const std::string&) -> absl::StatusOr<VerbRunner> {
    return VerbRunner();
  };
  EXPECT_EQ(Agent::Start(options, no_runner).status().code(), absl::StatusCode::kNotFound);
  Join();
  const auto spool = StateFolder(options.state).Spool();
  std::filesystem::rename(spool, spool.string() + ".aside");
  EXPECT_THAT(Agent::Start(options, no_runner),
              ::reprise::testing::StatusIs(absl::StatusCode::kNotFound,
                                           ::testing::AllOf(::testing::HasSubstr(spool.string()),
                                                            ::testing::HasSubstr("`reprise-agent join`"))));
  std::filesystem::rename(spool.string() + ".aside", spool);
  StartAgent();
  EXPECT_EQ(Agent::Start(options, no_runner).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace reprise::daemon
