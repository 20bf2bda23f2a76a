// A host with a kept storage and no index: what the imaging server is when the backups are opened.
#pragma once

#include "plugins/sdk/manifest.h"
#include "tests/unit/plugins/own_services.h"
#include "tests/unit/plugins/pacs/dicom_maker.h"
#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::pacs {

using nlohmann::json;
using plugins::Answer;
using plugins::ClaimOf;
using plugins::EvidenceOf;
using plugins::Eventually;
using plugins::OwnRunit;
using plugins::PluginBench;
using plugins::VERB_APPLY;
using plugins::VERB_PLAN;
using plugins::VERB_PROBE;
using plugins::VERB_ROLLBACK;
using plugins::VERB_VERIFY;
using ::testing::HasSubstr;
using ::testing::PrintToString;

constexpr std::chrono::minutes kLong(3);
inline const fs::path kKept = "/srv/kept/OrthancStorage";
inline const fs::path kServer = "/srv/reprise/pacs/main";

inline std::string ManifestHash(const fs::path& point) {
  sdk::FakeCall call(json{{"verb", "probe"}, {"work_dir", "/"}});
  const sdk::Context context(call.call(), call.request());
  return sdk::ManifestOf(context, point).Sha256();
}

class Site {
 public:
  explicit Site(PluginBench& bench) : bench_(bench), storage(kKept) {}

  json RestoreParams() const { return {{"source", kKept.string()}, {"manifest_sha256", ManifestHash(kKept)}}; }
  json StartParams() const { return {{"title", "HR1PACS"}, {"dicom_port", 11104}, {"http_port", 18042}}; }
  Answer Run(model::v1::Verb verb, const std::string& action, const json& params = json::object()) {
    return bench_.Run(verb, action, params, kLong);
  }
  Answer RunToTheEnd(const std::string& action, const json& params = json::object()) {
    const Answer applied = Run(VERB_APPLY, action, params);
    EXPECT_TRUE(applied.done()) << action << ": " << PrintToString(applied);
    return Run(VERB_VERIFY, action, params);
  }
  // Restored and started, its index empty.
  void SetUp() {
    const Answer restored = RunToTheEnd("restore", RestoreParams());
    ASSERT_TRUE(restored.holds()) << PrintToString(restored);
    const Answer started = RunToTheEnd("start", StartParams());
    ASSERT_TRUE(started.holds()) << PrintToString(started);
  }

 private:
  PluginBench& bench_;

 public:
  StorageMaker storage;
};

#define ON_PACS_HOST(...)                                                                     \
  if (access("/usr/sbin/Orthanc", X_OK) != 0 || access("/usr/bin/findscu", X_OK) != 0) GTEST_SKIP() << "needs orthanc and dcmtk"; \
  ON_SERVICE_HOST("pacs", {}, __VA_ARGS__)

}  // namespace reprise::pacs
