// The conformance kit on the plugin "mail": its actions against two real Dovecots, in throw-away file systems.
#include <gmock/gmock.h>

#include "tests/unit/plugins/mail/move_bench.h"

namespace reprise::mail {
namespace {

void KeepsTheContract(const std::string& action, const json& more = json::object()) {
  NEEDS_DOVECOT();
  MoveSite site({{"anne@hr1.example", 0}, {"bert@hr1.example", 0}});
  site.Fill("anne@hr1.example", {"INBOX"}, 1, 60);
  site.Fill("bert@hr1.example", {"Archives"}, 1, 30);
  conformance::ConformanceOptions options;
  options.plugin = plugins::PluginFile("mail");
  options.plugin_host = plugins::PluginHost();
  options.only_action = action;
  options.artifacts = {{"roster.csv", site.scratch.path / "roster.csv"},
                       {"old.profile.json", site.scratch.path / "old.profile.json"},
                       {"new.profile.json", site.scratch.path / "new.profile.json"}};
  json params = {{"batch", "lot-1"}, {"source", "old"}, {"target", "new"}, {"state", kStateFolder}};
  params.update(more);
  options.params_json = json{{action, params}}.dump();
  std::fflush(stdout);
  const auto report = conformance::VerifyPlugin(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(conformance::Passed(*report)) << conformance::ToTable(*report);
  if (report->setting.rfind("In throw-away", 0) != 0) GTEST_SKIP() << report->setting;
}

// "delta" is what "prestage" is, and "verify" what "compare" is: one class each.
TEST(MailPlugin, CompareKeepsTheContract) { KeepsTheContract("compare"); }
TEST(MailPlugin, PrestageKeepsTheContract) { KeepsTheContract("prestage"); }
TEST(MailPlugin, CutOverKeepsTheContract) { KeepsTheContract("cut_over", {{"closing", "by_gate"}, {"quiet", "10ms"}}); }

}  // namespace
}  // namespace reprise::mail
