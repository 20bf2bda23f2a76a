#include "agents/daemon/join.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "agents/daemon/agent_status.h"
#include "agents/daemon/host_certificate.h"
#include "agents/daemon/state_folder.h"
#include "agents/spool/sqlite_spool.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/agents/daemon/temporary_folder.h"
#include "tests/unit/agents/daemon/test_authority.h"
#include "tests/unit/agents/engine/signed_plan.h"

namespace reprise::daemon {
namespace {

using agents::testing::People;
using ::reprise::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TemporaryFolder;
using testing::TestAuthority;

TEST(JoinCode, IsReadAndItsFaultsAreNamedWithoutTheSecret) {
  const std::string sha(64, 'a');
  ASSERT_OK_AND_ASSIGN(const JoinCode code, ReadJoinCode("ws-001:S3CRET:" + sha + ":" + sha));
  EXPECT_EQ(code.host, "ws-001");
  EXPECT_EQ(code.secret, "S3CRET");
  for (const std::string& bad : {std::string("ws-001"), "WS_1:S3CRET:" + sha + ":" + sha, "ws-001::" + sha + ":" + sha,
                                 "ws-001:S3CRET:abc:" + sha, "../x:S3CRET:" + sha + ":" + sha}) {
    EXPECT_THAT(ReadJoinCode(bad).status(), StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("S3CRET"))));
  }
}

TEST(ConnectAddress, FillsAWildcardWithTheHostThatAnswered) {
  EXPECT_EQ(ConnectAddress("", "10.0.0.1:7443", "10.77.0.1:7445"), "10.0.0.1:7443");
  EXPECT_EQ(ConnectAddress("", "0.0.0.0:7443", "10.77.0.1:7445"), "10.77.0.1:7443");
  EXPECT_EQ(ConnectAddress("", ":7443", "10.77.0.1:7445"), "10.77.0.1:7443");
  EXPECT_EQ(ConnectAddress("1.2.3.4:9", ":7443", "10.77.0.1:7445"), "1.2.3.4:9");
}

TEST(ReadJoinReply, RefusesWhatIsNotAReply) {
  for (const char* bad : {"", "[]", "{}", R"({"certificate":1})", R"({"certificate":"x","keyring":[]})",
                          R"({"certificate":"x","keyring":[{}]})", R"({"certificate":"x","statement_serial":-1,"keyring":[]})",
                          R"({"certificate":"x","keyring":[7]})"}) {
    EXPECT_FALSE(ReadJoinReply(bad).ok()) << bad;
  }
}

// ---- the state folder that a join leaves ----

class RunJoinTest : public ::testing::Test {
 protected:
  absl::StatusOr<JoinReply> Answer(const JoinRequest& request) {
    asked += 1;
    EXPECT_EQ(request.secret, "S3CRET");
    JoinReply reply;
    reply.certificate = authority.IssueFromRequest(request.csr, certified_host);
    reply.ca = authority.Pem();
    reply.keyring = people.chain();
    reply.coordinator = "0.0.0.0:7443";
    reply.statement_serial = statement_serial;
    return reply;
  }
  absl::StatusOr<std::string> Join(const std::string& host = "ws-001") {
    JoinOptions options;
    options.join_address = "10.77.0.1:7445";
    options.code = host + ":S3CRET:" + authority.Fingerprint() + ":" + people.Keyring().fingerprint();
    options.state = folder.path() / "state";
    return RunJoin(options, [this](const JoinRequest& request) { return Answer(request); });
  }
  StateFolder State() { return StateFolder(folder.path() / "state"); }

  TemporaryFolder folder;
  People people;
  TestAuthority authority;
  std::string certified_host = "ws-001";
  int asked = 0;
  uint64_t statement_serial = 0;
};

TEST_F(RunJoinTest, LeavesAFolderThatAnAgentCanUse) {
  ASSERT_OK(Join());
  ASSERT_OK_AND_ASSIGN(const AgentConfig config, State().LoadConfig());
  EXPECT_EQ(config.host, "ws-001");
  EXPECT_EQ(config.coordinator, "10.77.0.1:7443");
  ASSERT_OK_AND_ASSIGN(const Identity identity, State().LoadIdentity());
  EXPECT_OK(CheckIdentity(identity, "ws-001"));
  EXPECT_EQ(std::filesystem::status(State().path() / "agent.key").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  ASSERT_OK_AND_ASSIGN(const std::string text, DescribeState(State(), 1'790'000'000'000));
  EXPECT_THAT(text, HasSubstr("host: ws-001"));
  EXPECT_THAT(text, HasSubstr("nobody has admitted"));
  EXPECT_THAT(text, HasSubstr("not running"));
}

TEST_F(RunJoinTest, RenewsTheIdentityAndKeepsWhatTheAgentRemembers) {
  ASSERT_OK(Join());
  {
    ASSERT_OK_AND_ASSIGN(auto opened, spool::SqliteSpool::Open(State().Spool()));
    agent::v1::SpoolRecord stop;
    stop.mutable_stop_kept()->set_serial(4);
    ASSERT_OK(opened.spool->Append({stop}));
  }
  ASSERT_OK_AND_ASSIGN(const Identity before, State().LoadIdentity());
  ASSERT_OK(Join());
  ASSERT_OK_AND_ASSIGN(const Identity after, State().LoadIdentity());
  EXPECT_NE(before.key, after.key);
  ASSERT_OK_AND_ASSIGN(const auto records, spool::SqliteSpool::ReadOnly(State().Spool()));
  EXPECT_EQ(records.back().stop_kept().serial(), 4u);
}

// Of the one key it was said that it may change something, not of the other.
TEST_F(RunJoinTest, BelievesNoStatementThatWasSignedBeforeTheJoin) {
  ASSERT_OK(Join());
  {
    ASSERT_OK_AND_ASSIGN(auto opened, spool::SqliteSpool::Open(State().Spool()));
    agent::v1::SpoolRecord admission;
    *admission.mutable_host_statement() = agents::testing::Admission(people);
    ASSERT_OK(opened.spool->Append({admission}));
  }
  const auto agent = [&] {
    const auto records = spool::SqliteSpool::ReadOnly(State().Spool());
    return *agents::AgentEngine::Restore(*records);
  };
  ASSERT_NE(agent().statement(), nullptr);
  statement_serial = 3;
  ASSERT_OK(Join());
  auto again = agent();
  EXPECT_EQ(again.statement(), nullptr);
  const auto hear = [&](uint64_t serial) {
    agent::v1::CoordinatorMessage message;
    *message.mutable_host_statement() =
        agents::testing::Admission(people, "ws-001", [&](auto& statement) { statement.serial = serial; });
    again.Decide(agents::CoordinatorSaid{1, message}, agents::testing::kNoon);
  };
  again.Decide(agents::Connected{1}, agents::testing::kNoon);
  hear(3);
  EXPECT_EQ(again.statement(), nullptr) << "the coordinator may be another's";
  const auto compacted = agents::AgentEngine::Restore(again.Compact());
  ASSERT_OK(compacted);
  EXPECT_EQ(compacted->statement(), nullptr);
  hear(4);
  EXPECT_NE(again.statement(), nullptr);
}

TEST_F(RunJoinTest, RefusesAFolderOfAnotherHostBeforeTheCodeIsSpent) {
  ASSERT_OK(Join());
  const int before = asked;
  EXPECT_THAT(Join("ws-002").status(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("ws-001")));
  EXPECT_EQ(asked, before);
}

TEST_F(RunJoinTest, RefusesAFolderThatARunningAgentUses) {
  ASSERT_OK(Join());
  ASSERT_OK_AND_ASSIGN(const auto lock, State().TakeLock());
  EXPECT_THAT(Join().status(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another reprise-agent")));
}

TEST_F(RunJoinTest, RefusesACertificateThatNamesAnotherHost) {
  certified_host = "ws-002";
  EXPECT_THAT(Join().status(), StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("ws-001")));
  EXPECT_THAT(State().LoadConfig().status(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("reprise-agent join")));
}

TEST(CheckIdentity, RefusesAnotherAuthoritysCertificateAndAnothersKey) {
  TestAuthority ours, theirs;
  const auto issued = theirs.IssueHost("ws-001"), other = ours.IssueHost("ws-001");
  EXPECT_THAT(CheckIdentity({ours.Pem(), issued.certificate, issued.key}, "ws-001"),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("authority")));
  EXPECT_THAT(CheckIdentity({ours.Pem(), other.certificate, issued.key}, "ws-001"),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("another key")));
  const auto two = ours.Issue("ws-001", "URI:reprise://host/ws-001,URI:reprise://operator/alice");
  EXPECT_FALSE(CheckIdentity({ours.Pem(), two.certificate, two.key}, "ws-001").ok());
}

// ---- the request itself, before a real TLS server ----

// Serves one connection: shows `certificates` (leaf first), reads a request, answers.
class OneShotServer {
 public:
  OneShotServer(const TestAuthority::Issued& issued, const std::string& authority, std::string answer)
      : answer_(std::move(answer)) {
    signal(SIGPIPE, SIG_IGN);  // The client may hang up first: that is what is tested.
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&place), sizeof place);
    listen(listener_, 1);
    socklen_t size = sizeof place;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&place), &size);
    address = "127.0.0.1:" + std::to_string(ntohs(place.sin_port));
    context_ = SSL_CTX_new(TLS_server_method());
    const auto load = [](const std::string& pem) { return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())); };
    BIO* bio = load(issued.certificate);
    X509* leaf = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context_, leaf);
    X509_free(leaf);
    BIO_free(bio);
    bio = load(issued.key);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_PrivateKey(context_, key);
    EVP_PKEY_free(key);
    BIO_free(bio);
    if (!authority.empty()) {
      bio = load(authority);
      SSL_CTX_add_extra_chain_cert(context_, PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
      BIO_free(bio);
    }
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneShotServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
    SSL_CTX_free(context_);
  }

  // Ends the server; then: what it was sent after the handshake.
  std::string Received() {
    shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
    return received_;
  }

  std::string address;

 private:
  void Serve() {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, connection);
    if (SSL_accept(ssl) == 1) {
      char buffer[8192];
      for (int got = 0;
           received_.find("\"}") == std::string::npos && (got = SSL_read(ssl, buffer, sizeof buffer)) > 0;) {
        received_.append(buffer, static_cast<size_t>(got));
      }
      if (!received_.empty()) SSL_write(ssl, answer_.data(), static_cast<int>(answer_.size()));
      SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(connection);
  }

  std::string answer_;
  std::string received_;
  int listener_ = -1;
  SSL_CTX* context_ = nullptr;
  std::thread thread_;
};

std::string Http(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

class JoinClientTest : public ::testing::Test {
 protected:
  JoinRequest Request(const std::string& address) const {
    return {address, authority.Fingerprint(), "ws-001", "S3CRET", "-----BEGIN CERTIFICATE REQUEST-----"};
  }
  TestAuthority authority;
  const std::string reply = R"({"certificate":"CERT","ca":"CA","coordinator":"h:1",)"
                            R"("keyring":[{"statement_b64":"aGVsbG8K","signatures":["sig"]}]})";
};

TEST_F(JoinClientTest, SendsTheSecretToTheCoordinatorOfTheCode) {
  OneShotServer server(authority.IssueServer(), authority.Pem(), Http(200, reply));
  ASSERT_OK_AND_ASSIGN(const JoinReply got, Join(Request(server.address)));
  EXPECT_EQ(got.certificate, "CERT");
  EXPECT_EQ(got.ca, authority.Pem()) << "the one that was pinned, not the one that was said";
  EXPECT_EQ(got.keyring[0].statement(), "hello\n");
  EXPECT_EQ(got.keyring[0].signatures(0).minisig(), "sig");
  EXPECT_THAT(server.Received(), HasSubstr("POST /v1/join"));
  EXPECT_THAT(server.Received(), HasSubstr("S3CRET"));
}

TEST_F(JoinClientTest, SendsNothingToAServerUnderAnotherAuthority) {
  TestAuthority impostor;
  OneShotServer server(impostor.IssueServer(), impostor.Pem(), Http(200, reply));
  EXPECT_THAT(Join(Request(server.address)).status(),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Nothing was sent")));
  EXPECT_EQ(server.Received(), "");
}

TEST_F(JoinClientTest, SendsNothingToWhoShowsTheAuthorityButIsNotVouchedForByIt) {
  TestAuthority impostor;
  OneShotServer server(impostor.IssueServer(), authority.Pem(), Http(200, reply));
  EXPECT_THAT(Join(Request(server.address)).status(),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Nothing was sent")));
  EXPECT_EQ(server.Received(), "");
}

// Every enrolled host has a certificate of the authority: that does not make it the coordinator.
TEST_F(JoinClientTest, SendsNothingToAHostThatPlaysTheCoordinator) {
  OneShotServer server(authority.IssueHost("ws-666"), authority.Pem(), Http(200, reply));
  EXPECT_THAT(Join(Request(server.address)).status(),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Nothing was sent")));
  EXPECT_EQ(server.Received(), "");
}

TEST_F(JoinClientTest, RepeatsWhatTheCoordinatorSaysOfARefusal) {
  OneShotServer server(authority.IssueServer(), authority.Pem(),
                       Http(403, R"({"error":"the code was used at 09:30"})"));
  EXPECT_THAT(Join(Request(server.address)).status(),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("used at 09:30")));
}

TEST_F(JoinClientTest, SaysWhenNobodyIsThere) {
  std::string address;
  { address = OneShotServer(authority.IssueServer(), "", "").address; }
  EXPECT_THAT(Join(Request(address)).status(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("host token")));
}

}  // namespace
}  // namespace reprise::daemon
