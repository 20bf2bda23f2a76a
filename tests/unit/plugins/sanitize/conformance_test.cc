// The conformance kit on the plugin "sanitize", on a small tree that stands for a mounted disk. clean needs evidence: it is taken
// into a folder of this machine, which the kit's throw-away hosts see.
#include "plugins/sanitize/evidence.h"
#include "tests/unit/plugins/sanitize/small_host.h"
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::sanitize {
namespace {

class SanitizePlugin : public SmallHostTest {
 protected:
  SanitizePlugin() { host.Put("/etc/cron.d/x", "* * * * * root /dev/shm/.x\n"); }

  void Verify(const std::string& action, Json params) {
    params["root"] = host.root().string();
    conformance::ConformanceOptions options;
    options.plugin = plugins::PluginFile("sanitize");
    options.plugin_host = plugins::PluginHost();
    options.only_action = action;
    options.params_json = Json{{action, params}}.dump();
    const auto report = conformance::VerifyPlugin(options);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(conformance::Passed(*report)) << conformance::ToTable(*report);
    if (report->setting.rfind("In throw-away", 0) != 0) GTEST_SKIP() << report->setting;
  }
};

TEST_F(SanitizePlugin, CheckKeepsTheContract) { Verify("check", Json::object()); }
TEST_F(SanitizePlugin, EvidenceKeepsTheContract) { Verify("evidence", {{"case", "c1"}}); }
TEST_F(SanitizePlugin, SignoffKeepsTheContract) { Verify("signoff", {{"case", "c1"}}); }

TEST_F(SanitizePlugin, CleanKeepsTheContract) {
  std::string kept = "/srv/sanitize-XXXXXX";
  if (mkdtemp(kept.data()) == nullptr) GTEST_SKIP() << "needs root, for evidence in /srv";
  TakeEvidence take;
  Json params = {{"root", host.root().string()}, {"evidence", kept}, {"case", "c1"}};
  fs::create_directories(folder_ / "work");
  sdk::FakeCall call({{"verb", "apply"},
                      {"params", take.Describe().params.Complete(params)},
                      {"work_dir", (folder_ / "work").string()}});
  sdk::Context context(call.call(), call.request());
  EXPECT_TRUE(take.Apply(context).changed);
  params["findings"] = Json::array();
  const sdk::ProbeResult found = Look();
  for (const Json& finding : found.observed.at("findings")) params["findings"].push_back(finding.at("id"));
  EXPECT_THAT(params["findings"], ::testing::SizeIs(1));
  Verify("clean", params);
  EXPECT_TRUE(fs::exists(host.At("/etc/cron.d/x"))) << "nothing of it reaches this machine";
  fs::remove_all(kept);
}

}  // namespace
}  // namespace reprise::sanitize
