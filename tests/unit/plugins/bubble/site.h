// The adapter on three hosts of a throw-away site: a gateway, one inside, one outside. See network.h.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "tests/unit/plugins/bubble/network.h"
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::bubble {

namespace fs = std::filesystem;
using nlohmann::json;
using plugins::Answer;
using plugins::VERB_APPLY;
using plugins::VERB_PLAN;
using plugins::VERB_PROBE;
using plugins::VERB_ROLLBACK;
using plugins::VERB_VERIFY;
using ::testing::HasSubstr;
using ::testing::PrintToString;

class Site {
 public:
  Site(const Network& network, const fs::path& kit) : network_(network), kit_(kit), gateway_(Bench("gateway")) {
    gateway_->runner();
    for (const char* name : {"inside", "outside"}) {
      fs::create_directories(kit / name);
      // Its thread, which starts the verbs, is in that network.
      In(network.side(name), [&] { (benches_[name] = Bench(name))->runner(); });
    }
  }
  Answer Gateway(model::v1::Verb verb, const std::string& action, const json& params) {
    return gateway_->Run(verb, action, params);
  }
  plugins::PluginBench& gateway() { return *gateway_; }
  Answer On(const std::string& side, const std::string& action, const json& params) {
    return benches_.at(side)->Run(VERB_PROBE, action, params);
  }
  int side(const std::string& name) const { return network_.side(name); }

  // From outside to inside, or the other way.
  bool Reaches(const std::string& from, const std::string& to, uint16_t port, int type = SOCK_STREAM) {
    const bool out = from.rfind("10.20.", 0) == 0 || from.rfind("fd00:20:", 0) == 0;
    return Line(side(out ? "inside" : "outside"), from, to, port, type).Talks();
  }

 private:
  std::unique_ptr<plugins::PluginBench> Bench(const std::string& name) {
    fs::create_directories(kit_ / name);
    return std::make_unique<plugins::PluginBench>(kit_ / name, kit_ / "plugin.so", kit_ / "reprise-plugin-host",
                                                  plugins::Artifacts());
  }
  const Network& network_;
  fs::path kit_;
  std::unique_ptr<plugins::PluginBench> gateway_;
  std::map<std::string, std::unique_ptr<plugins::PluginBench>> benches_;
};

// Runs `body` in the gateway's network, on a file system that is thrown away. Returns why there can be none; empty: it
// ran.
inline std::string OnASite(const std::function<void(Site&)>& body, const std::function<bool(Network&)>& more = {}) {
  if (geteuid() != 0) return "needs root, for network namespaces";
  std::string why;
  std::thread([&] {
    Network network;
    if (!network.Make() || (more && !more(network))) {
      why = "needs network namespaces, veth, ip and nft";
      return;
    }
    const std::vector<conformance::KitFile> files = {{plugins::PluginFile("bubble"), "plugin.so"},
                                                     {plugins::PluginHost(), "reprise-plugin-host"}};
    std::fflush(stdout);
    const auto answer = conformance::InThrowawayRoot(files, [&](conformance::Root& root) {
      fs::remove_all("/etc/service");  // What this machine has there is not the gateway's.
      {
        Site site(network, root.kit());
        body(site);
      }
      std::fflush(stdout);
      return json{{"failed", ::testing::Test::HasFailure()}};
    });
    if (absl::IsUnavailable(answer.status())) {
      why = std::string(answer.status().message());
    } else if (!answer.ok()) {
      ADD_FAILURE() << answer.status();
    } else if (answer->at("failed")) {
      ADD_FAILURE() << "on the throw-away site: see above";
    }
  }).join();
  return why;
}

#define ON_A_SITE(...) \
  if (const std::string why_not = OnASite(__VA_ARGS__); !why_not.empty()) GTEST_SKIP() << why_not

// A bubble without a boot hook: forwarding is the network's own.
inline json LabBubble() {
  return {{"bubble", "lab"},
          {"interfaces", {"in0"}},
          {"subnets", {"10.20.0.0/24", "fd00:20::/64"}},
          {"members", {"10.20.0.2", "10.20.0.3", "fd00:20::2"}},
          {"management", {"tcp:10.1.0.2:7443", "tcp:[fd00:1::2]:7443"}},
          {"posts_max", 4},
          {"forwarding", "keep"},
          {"persist", false}};
}
inline bool Forward() {
  return Command({"sysctl", "-q", "-w", "net.ipv4.ip_forward=1"}) &&
         Command({"sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1"});
}
inline json LabPost(int number) {
  return {{"bubble", "lab"},
          {"post", "ws-10" + std::to_string(number)},
          {"address", "10.1.0.1" + std::to_string(number)},
          {"applications", {"tcp:10.20.0.2:5432"}}};
}
inline json LabFlow(const std::string& decision, const std::string& duration) {
  return {{"bubble", "lab"}, {"from", "10.20.0.2"},  {"to", "10.1.0.9"},   {"protocol", "tcp"},
          {"port", 443},     {"duration", duration}, {"supervised", "1s"}, {"decision", decision}};
}
inline json InsideProof() {
  return {{"bubble", "lab"},
          {"targets",
           {"tcp:10.1.0.9:443", "udp:10.1.0.9:514", "icmp:10.1.0.9", "dns:10.1.0.9", "tcp:[fd00:1::9]:443",
            "udp:[fd00:1::9]:514", "icmp:fd00:1::9", "dns:[fd00:1::9]"}},
          {"controls", {"tcp:10.1.0.2:7443", "tcp:[fd00:1::2]:7443"}},
          {"wait", "500ms"}};
}
inline json OutsideProof() {
  return {{"bubble", "lab"},
          {"targets",
           {"tcp:10.20.0.2:5432", "udp:10.20.0.2:514", "icmp:10.20.0.2", "dns:10.20.0.2", "tcp:[fd00:20::2]:5432",
            "icmp:fd00:20::2", "dns:fd00:20::2"}},
          {"controls", {"icmp:10.1.0.1", "icmp:fd00:1::1"}},
          {"wait", "500ms"}};
}
inline std::string Shown(const json& claim) {
  return claim.at("name").get<std::string>() + " " + claim.at("state").get<std::string>() + ": " +
         claim.at("detail").get<std::string>();
}
inline std::string ClaimOf(const Answer& answer) {
  if (!answer.done() || answer.value.at("claims").empty()) return PrintToString(answer);
  return Shown(answer.value["claims"][0]);
}
// What is said of one; "nothing".
inline std::string ClaimNamed(const Answer& answer, const std::string& name) {
  if (!answer.done()) return PrintToString(answer);
  for (const json& claim : answer.value.at("claims")) {
    if (claim.at("name") == name) return Shown(claim);
  }
  return "nothing";
}
inline std::string ClosedBy(const Answer& answer) {
  return ClaimNamed(answer, "bubble.closed");
}
// Of the bubble "lab"; -1: not told.
inline double MeasureIn(const Answer& answer, const std::string& name) {
  if (!answer.done()) return -1;
  for (const json& measure : answer.value.at("measures")) {
    if (measure.at("name") == name && measure.at("subject") == "lab") return measure.at("value");
  }
  return -1;
}

}  // namespace reprise::bubble
