// The conformance kit on the plugin "lis": its own actions. Those that it has from the SDK are tried with agiletime and maincare.
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::plugins {
namespace {

void Verify(const std::string& action, const json& params) {
  conformance::ConformanceOptions options;
  options.plugin = PluginFile("lis");
  options.plugin_host = PluginHost();
  options.only_action = action;
  options.params_json = json{{action, params}}.dump();
  const auto report = conformance::VerifyPlugin(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(conformance::Passed(*report)) << conformance::ToTable(*report);
  if (report->setting.rfind("In throw-away", 0) != 0) GTEST_SKIP() << report->setting;
}

TEST(LisPlugin, InterfaceKeepsTheContract) { Verify("interface", {{"state", "cut"}}); }
TEST(LisPlugin, ReconcileKeepsTheContract) { Verify("reconcile", json::object()); }
TEST(LisPlugin, HealthKeepsTheContract) { Verify("health", json::object()); }

}  // namespace
}  // namespace reprise::plugins
