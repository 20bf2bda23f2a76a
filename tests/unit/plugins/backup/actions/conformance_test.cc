// The conformance kit on the plugin "backup". What attaches needs a supervisor of services, which the kit's host has not: see
// attach_test.cc for that one.
#include "tests/unit/plugins/backup/actions/reader_host.h"

namespace reprise::backup {
namespace {

TEST(BackupPlugin, KeepsTheContract) {
  std::string place = (fs::temp_directory_path() / "backup-kit-XXXXXX").string();
  ASSERT_NE(mkdtemp(place.data()), nullptr);
  PutTables(fs::path(place) / "copy");
  const std::string copy = place + "/copy", judge = Program("reprise-backup-judge").string();
  const json judged = {{"path", copy}, {"set", "tables"}, {"point", "p1"}, {"program", judge}};
  conformance::ConformanceOptions options;
  options.plugin = plugins::PluginFile("backup");
  options.plugin_host = plugins::PluginHost();
  options.params_json = json{{"custody", {{"source", copy}, {"set", "tables"}, {"point", "p1"}, {"operator", "A. Martin"}, {"decision", "12"}}},
                             {"judge", judged},
                             {"judge-resumable", judged},
                             {"reader", {{"allow", {"0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"}}}},
                             {"attach", {{"source", copy}, {"name", "kit"}, {"program", Program("reprise-backup-holder").string()}}}}
                            .dump();
  const auto report = conformance::VerifyPlugin(options);
  fs::remove_all(place);
  ASSERT_TRUE(report.ok()) << report.status();
  if (report->setting.rfind("In throw-away", 0) != 0) GTEST_SKIP() << report->setting;
  std::set<std::string> passed;
  for (const auto& check : report->checks) {
    if (check.verdict == conformance::Verdict::kPass) passed.insert(check.action + ": " + check.name);
    if (check.action != "attach") {
      EXPECT_NE(check.verdict, conformance::Verdict::kFail) << check.action << ": " << check.name << "\n" << conformance::ToTable(*report);
    }
  }
  for (const char* name : {"custody: apply makes it so", "custody: survives being killed", "custody: apply twice changes once",
                           "judge: probe and plan answer", "judge-resumable: apply makes it so", "judge-resumable: verify proves it",
                           "judge-resumable: survives being killed", "attach: dry run changes nothing"}) {
    EXPECT_TRUE(passed.contains(name)) << name << "\n" << conformance::ToTable(*report);
  }
}

}  // namespace
}  // namespace reprise::backup
