// The conformance kit on the plugin "pacs": the actions that need no running server. start, rebuild_index and stop are tried
// whole, and killed, in server_test.cc.
#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/pacs/dicom_maker.h"

namespace reprise::pacs {
namespace {

void Verify(const std::string& action, const nlohmann::json& params, const plugins::Artifacts& artifacts = {}) {
  conformance::ConformanceOptions options;
  options.plugin = plugins::PluginFile("pacs");
  options.plugin_host = plugins::PluginHost();
  options.only_action = action;
  options.artifacts = artifacts;
  options.params_json = nlohmann::json{{action, params}}.dump();
  const auto report = conformance::VerifyPlugin(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(conformance::Passed(*report)) << conformance::ToTable(*report);
  if (report->setting.rfind("In throw-away", 0) != 0) GTEST_SKIP() << report->setting;
}

TEST(PacsPlugin, RestoreKeepsTheContract) {
  const fs::path folder = fs::path(::testing::TempDir()) / "pacs_conformance";
  fs::create_directories(folder);
  plugins::Artifacts artifacts;
  std::string manifest;
  for (int i = 1; i <= 40; ++i) {
    const std::string name = "image-" + std::to_string(100 + i);
    Spit(folder / name, Dicom({.image = i, .side = 256}));
    artifacts[name] = folder / name;
    manifest += sdk::Sha256OfFile(folder / name) + "  " + std::to_string(fs::file_size(folder / name)) + "  " + name + "\n";
  }
  Verify("restore", {{"manifest_sha256", sdk::Sha256OfText(manifest)}}, artifacts);
  fs::remove_all(folder);
}

TEST(PacsPlugin, HealthKeepsTheContract) { Verify("health", nlohmann::json::object()); }
TEST(PacsPlugin, StopKeepsTheContract) { Verify("stop", nlohmann::json::object()); }

}  // namespace
}  // namespace reprise::pacs
