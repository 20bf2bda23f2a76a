// The conformance kit on the plugin "edr": the actions that need no host prepared for them. install and uninstall are tried
// whole, and killed, in install_test.cc.
#include <sched.h>

#include <thread>

#include "tests/unit/plugins/edr/lone_clamd.h"

namespace reprise::edr {
namespace {

// What isolate does to the network it does to one that ends with this thread.
void Verify(const std::string& action, const json& params, const plugins::Artifacts& artifacts = {}) {
  std::string why_not;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) {
      why_not = "needs root, for a network namespace";
      return;
    }
    conformance::ConformanceOptions options;
    options.plugin = plugins::PluginFile("edr");
    options.plugin_host = plugins::PluginHost();
    options.only_action = action;
    options.artifacts = artifacts;
    options.params_json = json{{action, params}}.dump();
    const auto report = conformance::VerifyPlugin(options);
    if (!report.ok()) {
      ADD_FAILURE() << report.status();
      return;
    }
    EXPECT_TRUE(conformance::Passed(*report)) << conformance::ToTable(*report);
    if (report->setting.rfind("In throw-away", 0) != 0) why_not = report->setting;
  }).join();
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(EdrPlugin, IsolateKeepsTheContract) { Verify("isolate", {{"allow", {"10.99.0.2:7443"}}}); }
TEST(EdrPlugin, ReleaseKeepsTheContract) { Verify("release", json::object()); }
TEST(EdrPlugin, HeartbeatKeepsTheContract) { Verify("heartbeat", json::object()); }
TEST(EdrPlugin, ScanKeepsTheContract) { Verify("scan", {{"paths", {"/etc"}}}); }

}  // namespace
}  // namespace reprise::edr
