#include "core/web/https_server.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/trust/certificate_authority.h"
#include "core/trust/certificate_request.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/web/https_client.h"

namespace reprise::web {
namespace {

using testing::Ask;
using testing::TlsConnection;
using ::testing::HasSubstr;

HttpsOptions Options() {
  static const auto identity = [] {
    const UnixMs now = SystemClock().Now();
    const auto authority = trust::CertificateAuthority::Create("test", now);
    const std::string key = *trust::NewKey();
    return std::pair(key, *authority->IssueServer(*trust::NewRequest(key, "server"), {}, now));
  }();
  HttpsOptions options;
  options.listen = "127.0.0.1:0";
  options.key = identity.first;
  options.certificate_chain = identity.second;
  return options;
}

void Echo(Request request, Respond respond) {
  respond({200, "text/plain", request.method + " " + request.target + " " + request.body + " " + request.address});
}

std::unique_ptr<HttpsServer> Serve(const HttpsOptions& options, Handler handler = Echo) {
  auto server = HttpsServer::Create(options, std::move(handler));
  EXPECT_OK(server);
  (*server)->Open();
  return *std::move(server);
}

TEST(HttpsServer, AnswersOverTls13Only) {
  const auto server = Serve(Options());
  const auto answer = Ask(server->port(), "POST", "/some/where?secret=1", "body");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "POST /some/where body 127.0.0.1") << "a query never reaches a log";
  EXPECT_THAT(answer.head, HasSubstr("no-store"));
  EXPECT_EQ(TlsConnection(server->port(), TLS1_2_VERSION).problem(), "no TLS");
  EXPECT_EQ(TlsConnection(server->port()).version(), "TLSv1.3");
}

TEST(HttpsServer, KeepsItsPortWhileClosedAndRefusesThereUntilOpenedAgain) {
  const auto server = Serve(Options());
  const uint16_t port = server->port();
  server->Close();
  EXPECT_EQ(Ask(port, "GET", "/").problem, "refused");
  EXPECT_EQ(server->port(), port);
  server->Open();
  EXPECT_EQ(Ask(port, "GET", "/").status, 200);
}

TEST(HttpsServer, TakesNoBodyBeyondItsLimit) {
  HttpsOptions options = Options();
  options.body_max = 1000;
  const auto server = Serve(options);
  EXPECT_EQ(Ask(server->port(), "POST", "/", std::string(1000, 'x')).status, 200);
  EXPECT_EQ(Ask(server->port(), "POST", "/", std::string(1001, 'x')).status, 413);
}

TEST(HttpsServer, DoesNotWaitForEverForOneWhoSaysNothingOrForAHandlerThatDoesNotAnswer) {
  HttpsOptions options = Options();
  options.timeout_s = 1;
  Respond kept;
  const auto server = Serve(options, [&](Request, Respond respond) { kept = std::move(respond); });
  EXPECT_EQ(Ask(server->port(), "GET", "/").status, 503);
  kept({});  // Too late, and harmless.
  TlsConnection silent(server->port());
  EXPECT_EQ(silent.ReadToEnd(), "") << "closed by the server";
}

TEST(HttpsServer, ServesOthersWhileOneIsAnsweredLater) {
  std::mutex mutex;
  std::condition_variable changed;
  Respond kept;
  const auto server = Serve(Options(), [&](Request request, Respond respond) {
    if (request.target == "/fast") return respond({200, "text/plain", "fast"});
    std::lock_guard lock(mutex);
    kept = std::move(respond);
    changed.notify_all();
  });
  TlsConnection slow(server->port());
  slow.Write("GET /slow HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return kept != nullptr; }));
  }
  EXPECT_EQ(Ask(server->port(), "GET", "/fast").body, "fast");
  kept({200, "text/plain", "slow"});
  EXPECT_THAT(slow.ReadToEnd(), HasSubstr("slow"));
}

TEST(HttpsServer, TakesNoMoreConnectionsThanItMay) {
  HttpsOptions options = Options();
  options.connections_max = 2;
  const auto server = Serve(options);
  const TlsConnection first(server->port()), second(server->port());
  EXPECT_EQ(first.problem() + second.problem(), "");
  EXPECT_NE(TlsConnection(server->port()).problem(), "");
}

TEST(HttpsServer, SaysWhatIsWrongWithAnAddressOrAPort) {
  HttpsOptions options = Options();
  options.listen = "localhost:1";
  EXPECT_EQ(HttpsServer::Create(options, Echo).status().code(), absl::StatusCode::kInvalidArgument);
  const auto server = Serve(Options());
  options.listen = "127.0.0.1:" + std::to_string(server->port());
  EXPECT_EQ(HttpsServer::Create(options, Echo).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace reprise::web
