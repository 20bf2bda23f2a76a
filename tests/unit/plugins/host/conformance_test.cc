// The conformance kit on the plugin "host".
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::plugins {
namespace {

TEST(HostPlugin, KeepsTheContract) {
  conformance::ConformanceOptions options;
  options.plugin = PluginFile("host");
  options.plugin_host = PluginHost();
  // What is removed is thrown away with everything else. No supervisor runs there: a service that is not there is
  // stopped.
  options.params_json =
      json{{"file",
            {{"path", "/var/tmp/reprise-verify/new/file"}, {"content", "x"}, {"make_folders", true}, {"mode", "0600"}}},
           {"file-absent", {{"path", "/etc/os-release"}}},
           {"as-declared", {{"os", "debian-12"}}},
           {"service", {{"name", "reprise-no-such"}, {"state", "stopped"}}}}
          .dump();
  const auto report = conformance::VerifyPlugin(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(conformance::Passed(*report)) << conformance::ToTable(*report);
  if (report->setting.rfind("In throw-away", 0) != 0) GTEST_SKIP() << report->setting;
  std::set<std::string> passed;
  for (const auto& check : report->checks) {
    if (check.verdict == conformance::Verdict::kPass) passed.insert(check.action + ": " + check.name);
  }
  for (const char* name : {"file: apply makes it so", "file: rollback undoes it", "file: survives being killed",
                           "file: verify proves it", "file-absent: apply makes it so", "facts: probe and plan answer",
                           "file-present: dry run changes nothing", "service: apply twice changes once"}) {
    EXPECT_TRUE(passed.contains(name)) << name << "\n" << conformance::ToTable(*report);
  }
}

}  // namespace
}  // namespace reprise::plugins
