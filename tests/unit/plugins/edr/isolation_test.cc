// edr.isolate and edr.release: the rules as text, and real ones in a network of the test's own (never this machine's).
#include "plugins/edr/isolation.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <thread>

#include "plugins/sdk/process.h"
#include "tests/unit/plugins/sdk/fake_call.h"
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::edr {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using plugins::Answer;
using ::testing::HasSubstr;
using ::testing::PrintToString;

TEST(Endpoint, IsAnAddressAndAPort) {
  EXPECT_EQ(ParseEndpoint("10.0.0.1:7443", "allow").Shown(), "10.0.0.1:7443");
  EXPECT_EQ(ParseEndpoint("[fd00:0:0::1]:80", "allow").Shown(), "[fd00::1]:80");
  for (const char* text : {"", ":", "10.0.0.1", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:1 ", "host:80", "10.1:80",
                           "[10.0.0.1]:80", "fd00::1:80", "[fd00::1:80", "10.0.0.1:80 accept", "10.0.0.1; flush ruleset:80"}) {
    EXPECT_THROW(ParseEndpoint(text, "allow"), sdk::Error) << text;
  }
}

TEST(IsolationRules, TakeThePlaceOfFormerOnesAndDropTheRest) {
  const std::string rules = IsolationRules({ParseEndpoint("10.0.0.1:7443", "allow")});
  EXPECT_EQ(rules.rfind("table inet reprise_isolation\ndelete table inet reprise_isolation\n", 0), 0u);
  EXPECT_THAT(rules, HasSubstr("ip daddr 10.0.0.1 tcp dport 7443 accept\n    counter drop"));
  EXPECT_THAT(rules, HasSubstr("type filter hook forward priority -10; policy drop;"));
  EXPECT_EQ(rules.find("icmpv6"), std::string::npos);
  EXPECT_THAT(IsolationRules({ParseEndpoint("[fd00::1]:1", "allow")}), HasSubstr("icmpv6"));
}

TEST(IsolationRules, DifferWhateverIsOtherwise) {
  const Chains expected = ExpectedChains({ParseEndpoint("10.0.0.1:7443", "allow")});
  EXPECT_EQ(FirstDifference(expected, expected), "");
  Chains found = expected;
  found["input"].insert(found["input"].begin() + 1, "accept");
  EXPECT_THAT(FirstDifference(expected, found), HasSubstr("chain input has \"accept\""));
  found = expected;
  found["output"][0] = "policy accept hook output";
  EXPECT_THAT(FirstDifference(expected, found), HasSubstr("policy accept"));
  found = expected;
  found["other"] = {};
  EXPECT_THAT(FirstDifference(expected, found), HasSubstr("other"));
  found.erase("other"), found.erase("forward");
  EXPECT_EQ(FirstDifference(expected, found), "there is no chain forward");
  EXPECT_THROW(ChainsOf("nonsense"), sdk::Error);
  EXPECT_THAT(PrintToString(ChainsOf(R"({"nftables":[{"rule":{"chain":"input","expr":[{"jump":{"target":"x"}}]}}]})")),
              HasSubstr("jump")) << "what is not understood is shown as it is";
}

// Two networks joined by one cable: the host's, in the thread of the test, and the other side's with two listeners.
class Network {
 public:
  // False where namespaces cannot be made. The calling thread is in the host's network afterwards.
  bool Make(const fs::path& scratch) {
    sdk::FakeCall call(json{{"verb", "apply"}, {"work_dir", scratch}});
    const sdk::Context context(call.call(), call.request());
    if (unshare(CLONE_NEWNET) != 0) return false;
    const std::string host = "/proc/" + std::to_string(getpid()) + "/task/" + std::to_string(syscall(SYS_gettid)) + "/ns/net";
    std::promise<bool> made;
    side_ = std::thread([this, host, scratch, &made] {
      sdk::FakeCall their_call(json{{"verb", "apply"}, {"work_dir", scratch}});
      const sdk::Context there(their_call.call(), their_call.request());
      bool ok = unshare(CLONE_NEWNET) == 0;
      const auto ip = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "ip");
        ok = ok && sdk::Run(there, words).ok();
      };
      ip({"link", "add", "wire", "type", "veth", "peer", "name", "cable", "netns", host});
      ip({"addr", "add", "10.99.0.2/24", "dev", "wire"});
      ip({"link", "set", "wire", "up"});
      const sdk::Fd one = Listen(7443), two = Listen(8080);
      made.set_value(ok && one && two);
      while (!ended_) {
        pollfd fds[2] = {{one.get(), POLLIN, 0}, {two.get(), POLLIN, 0}};
        poll(fds, 2, 50);
        for (const pollfd& fd : fds) {
          if (fd.revents != 0) sdk::Fd(accept4(fd.fd, nullptr, nullptr, SOCK_CLOEXEC));
        }
      }
    });
    if (!made.get_future().get()) return false;
    return sdk::Run(context, {"ip", "addr", "add", "10.99.0.1/24", "dev", "cable"}).ok() &&
           sdk::Run(context, {"ip", "link", "set", "cable", "up"}).ok() &&
           sdk::Run(context, {"ip", "link", "set", "lo", "up"}).ok();
  }
  ~Network() {
    ended_ = true;
    if (side_.joinable()) side_.join();
  }

 private:
  static sdk::Fd Listen(uint16_t port) {
    sdk::Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd.get(), 8) != 0) fd.Reset();
    return fd;
  }
  std::atomic<bool> ended_{false};
  std::thread side_;
};

bool Reaches(uint16_t port) {
  const sdk::Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit = {1, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, "10.99.0.2", &address.sin_addr);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// In a thread of its own, whose network ends with it. Returns why it could not be.
std::string InANetwork(const std::function<void(plugins::PluginBench&)>& body) {
  if (geteuid() != 0) return "needs root, for a network namespace";
  std::string made = fs::temp_directory_path() / "reprise-net-XXXXXX";
  if (mkdtemp(made.data()) == nullptr) return "no folder " + made;
  std::string why;
  std::thread([&] {
    Network network;
    if (!network.Make(made)) {
      why = "needs network namespaces, veth and ip";
      return;
    }
    plugins::PluginBench bench(made, plugins::PluginFile("edr"), plugins::PluginHost(), {});
    body(bench);
  }).join();
  fs::remove_all(made);
  return why;
}

TEST(Isolate, CutsTheHostOffButForItsCoordinatorAndReleaseGivesItBack) {
  const std::string why_not = InANetwork([](plugins::PluginBench& bench) {
    using namespace plugins;
    const json params = {{"allow", {"10.99.0.2:7443", "[fd00::1]:7443"}}, {"forbidden", "10.99.0.2:8080"}};
    ASSERT_TRUE(Reaches(7443) && Reaches(8080));
    EXPECT_EQ(bench.Run(VERB_PROBE, "isolate", params).value.at("claims").at(0).at("state"), "fails");
    const Answer unproven = bench.Run(VERB_VERIFY, "isolate", params);
    EXPECT_FALSE(unproven.holds());
    EXPECT_THAT(unproven.value.dump(), HasSubstr("a forbidden address was reached"));
    EXPECT_EQ(bench.Run(VERB_PLAN, "isolate", params).value.at("changes").size(), 1u);

    const Answer applied = bench.Run(VERB_APPLY, "isolate", params);
    ASSERT_TRUE(applied.changed()) << PrintToString(applied);
    EXPECT_TRUE(Reaches(7443));
    EXPECT_FALSE(Reaches(8080));
    const Answer probed = bench.Run(VERB_PROBE, "isolate", params);
    EXPECT_TRUE(probed.holds()) << PrintToString(probed);
    const Answer verified = bench.Run(VERB_VERIFY, "isolate", params);
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_THAT(verified.value.dump(), HasSubstr("forbidden 10.99.0.2:8080: no answer"));
    EXPECT_THAT(verified.value.dump(), HasSubstr("allowed 10.99.0.2:7443: connected"));
    EXPECT_FALSE(bench.Run(VERB_APPLY, "isolate", params).changed());

    const json fewer = {{"allow", {"10.99.0.2:8080"}}};
    EXPECT_FALSE(bench.Run(VERB_PROBE, "isolate", fewer).holds()) << "other rules are not these";
    EXPECT_TRUE(bench.Run(VERB_APPLY, "isolate", fewer).changed());
    EXPECT_FALSE(Reaches(7443));
    EXPECT_TRUE(Reaches(8080));

    EXPECT_FALSE(bench.Run(VERB_PROBE, "release").holds());
    EXPECT_TRUE(bench.Run(VERB_APPLY, "release").changed());
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "release").holds());
    EXPECT_TRUE(Reaches(7443));
    EXPECT_FALSE(bench.Run(VERB_APPLY, "release").changed());
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(Isolate, IsUndoneByRollbackAndRefusesToCutOffEverybody) {
  const std::string why_not = InANetwork([](plugins::PluginBench& bench) {
    using namespace plugins;
    EXPECT_EQ(bench.Run(VERB_APPLY, "isolate", {{"allow", json::array()}}).code(), "bad_params");
    EXPECT_EQ(bench.Run(VERB_APPLY, "isolate", {{"allow", {"coordinator:7443"}}}).code(), "bad_params");
    EXPECT_EQ(bench.Run(VERB_PROBE, "isolate", {{"allow", {"10.99.0.2:1"}}, {"forbidden", "10.99.0.2:1"}}).code(), "bad_params");
    ASSERT_TRUE(bench.Run(VERB_APPLY, "isolate", {{"allow", {"10.99.0.2:7443"}}}).changed());
    EXPECT_FALSE(Reaches(8080));
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "isolate", {{"allow", {"10.99.0.2:7443"}}}).done());
    EXPECT_TRUE(Reaches(8080));
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

}  // namespace
}  // namespace reprise::edr
