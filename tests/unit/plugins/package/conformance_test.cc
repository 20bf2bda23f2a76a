// The conformance kit on the plugin "package", with packages whose installation takes long enough to be met in its
// middle.
#include "tests/unit/plugins/package/debs.h"

namespace reprise::plugins {
namespace {

TEST(PackagePlugin, KeepsTheContract) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a", .more = "Depends: reprise-b\n", .scripts = {{"postinst", "sleep 0.4"}}})
      .Add("b", {.name = "reprise-b", .scripts = {{"postinst", "sleep 0.2"}, {"prerm", "sleep 0.1"}}});
  conformance::ConformanceOptions options;
  options.plugin = PluginFile("package");
  options.plugin_host = PluginHost();
  options.artifacts = debs.artifacts();
  // A package that is on the machine and on which nothing stands would have to be known for `remove`: there it is tried
  // with one that is gone already, and in remove_test.cc with one that is not.
  options.params_json = json{{"remove", {{"name", "reprise-never-there"}}}, {"installed", {{"name", "dpkg"}}}}.dump();
  const auto report = conformance::VerifyPlugin(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(conformance::Passed(*report)) << conformance::ToTable(*report);
  if (report->setting.rfind("In throw-away", 0) != 0) GTEST_SKIP() << report->setting;
  std::set<std::string> passed;
  for (const auto& check : report->checks) {
    if (check.verdict == conformance::Verdict::kPass) passed.insert(check.action + ": " + check.name);
  }
  for (const char* name :
       {"install: apply makes it so", "install: verify proves it", "install: apply twice changes once",
        "install: rollback undoes it", "install: survives being killed", "install: ends when asked",
        "installed: dry run changes nothing", "remove: hostile parameters"}) {
    EXPECT_TRUE(passed.contains(name)) << name << "\n" << conformance::ToTable(*report);
  }
}

}  // namespace
}  // namespace reprise::plugins
