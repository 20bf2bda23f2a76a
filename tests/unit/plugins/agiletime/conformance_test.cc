// The conformance kit on the plugin "agiletime": the actions that need no supervisor of the host. restore, start and degraded
// are tried whole, and killed, in restore_test.cc and running_test.cc.
#include <sched.h>

#include <thread>

#include "tests/unit/plugins/sdk/application/application_host.h"

namespace reprise::plugins {
namespace {

// In a network of its own, where a service answers as AgileTime's does.
void Verify(const std::string& action, const json& params) {
  std::string why_not;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) {
      why_not = "needs root, for a network namespace";
      return;
    }
    RunHere({"ip", "link", "set", "lo", "up"});
    const Process service({"python3", SourceFolder() / "tests/lab/standin_service.py", "agiletime", "--socket", "/nowhere", "--port", "1",
                           "--role", "nobody", "--listen", "127.0.0.1:8410", "--mode-file", "/nowhere"});
    ASSERT_TRUE(Eventually([] { return RunHere({"ss", "-Hltn", "sport", "=", ":8410"}).out.find("8410") != std::string::npos; }));
    conformance::ConformanceOptions options;
    options.plugin = PluginFile("agiletime");
    options.plugin_host = PluginHost();
    options.only_action = action;
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

TEST(AgileTimePlugin, PostKeepsTheContract) { Verify("post", {{"server", "127.0.0.1:8410"}, {"wait", "2s"}}); }
TEST(AgileTimePlugin, HealthKeepsTheContract) { Verify("health", json::object()); }

}  // namespace
}  // namespace reprise::plugins
