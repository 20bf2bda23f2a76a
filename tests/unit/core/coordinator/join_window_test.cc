#include "core/coordinator/join_window.h"

#include <gtest/gtest.h>

#include <atomic>

#include "core/trust/certificate_authority.h"
#include "core/trust/certificate_request.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/web/https_client.h"

namespace reprise::coordinator {
namespace {

constexpr UnixMs kNoon = 1'790'000'000'000;

struct SetClock final : Clock {
  UnixMs Now() const override { return now; }
  std::atomic<UnixMs> now = kNoon;
};

class JoinWindowTest : public ::testing::Test {
 protected:
  JoinWindowTest() {
    const UnixMs now = SystemClock().Now();
    const auto authority = trust::CertificateAuthority::Create("test", now);
    web::HttpsOptions options;
    options.listen = "127.0.0.1:0";
    options.key = *trust::NewKey();
    options.certificate_chain = *authority->IssueServer(*trust::NewRequest(options.key, "server"), {}, now);
    auto made = web::HttpsServer::Create(options, [](web::Request, web::Respond respond) { respond({}); });
    EXPECT_OK(made);
    server = *std::move(made);
  }
  bool IsOpen() const { return web::testing::Ask(server->port(), "GET", "/").status == 200; }
  bool ClosesWithin(std::chrono::milliseconds patience) const {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (IsOpen()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  SetClock clock;
  std::unique_ptr<web::HttpsServer> server;
  Workers workers{1};  // Ends before what it uses.
  JoinWindow window{clock, workers};
};

TEST_F(JoinWindowTest, OpensThePortAndClosesItByItselfWhenTheTimeIsOver) {
  window.Serve(*server);
  EXPECT_FALSE(IsOpen());
  window.Set(kNoon + 300);
  EXPECT_TRUE(IsOpen());
  clock.now = kNoon + 300;
  EXPECT_TRUE(ClosesWithin(std::chrono::seconds(10)));
}

TEST_F(JoinWindowTest, StaysOpenUntilTheClockSaysSo) {
  window.Serve(*server);
  window.Set(kNoon + 50);
  EXPECT_FALSE(ClosesWithin(std::chrono::milliseconds(300))) << "the clock stands still: it was looked at, and it is not over";
  clock.now = kNoon + 50;
  EXPECT_TRUE(ClosesWithin(std::chrono::seconds(10)));
}

TEST_F(JoinWindowTest, StaysOpenForALongerWindowThatWasAskedForMeanwhile) {
  window.Serve(*server);
  window.Set(kNoon + 100);
  window.Set(kNoon + 60'000);
  clock.now = kNoon + 200;
  EXPECT_FALSE(ClosesWithin(std::chrono::milliseconds(400)));
  window.Set(kNoon + 200);
  EXPECT_FALSE(IsOpen()) << "at once when its time is over already";
}

TEST_F(JoinWindowTest, KeepsTheTimeThatItHeardBeforeThereWasAPort) {
  window.Set(kNoon + 60'000);
  EXPECT_FALSE(IsOpen());
  window.Serve(*server);
  EXPECT_TRUE(IsOpen());
}

}  // namespace
}  // namespace reprise::coordinator
