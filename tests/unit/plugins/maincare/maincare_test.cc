// Maincare on a throw-away host: three bases in their order, under test until the service's owner has accepted these very
// data, and no longer than they are these.
#include "tests/unit/plugins/sdk/application/application_host.h"

namespace reprise::plugins {
namespace {

using ::testing::HasSubstr;

class Host : public ApplicationHost {
 public:
  Host() : ApplicationHost("/var/lib/reprise-maincare") {}
  std::string Ask(const std::string& base, const std::string& sql) const { return Sql(base, sql, 5502); }
};

fs::path Dumps() { return MakeDumps("maincare", {"--patients", "300"}); }
json From(const std::string& module) {
  const fs::path dump = Dumps() / (module + ".dump");
  return {{"module", module}, {"source", dump.string()}, {"manifest_sha256", ManifestSha256(dump)}};
}
json Acceptance() {
  json manifests = json::array();
  for (const char* module : {"gam", "gef", "dpi"}) manifests.push_back(std::string(module) + "=" + From(module)["manifest_sha256"].get<std::string>());
  return {{"owner", "head of admissions"}, {"protocol", "maincare-restart-1"}, {"reference", "D-0042"}, {"manifests", manifests}};
}
bool Started(PluginBench& bench) {
  for (const char* module : {"gam", "gef", "dpi"}) {
    const Answer restored = bench.Run(VERB_APPLY, "restore", From(module));
    EXPECT_TRUE(restored.changed()) << module << PrintToString(restored);
  }
  const Answer started = bench.Run(VERB_APPLY, "start");
  EXPECT_TRUE(started.changed()) << PrintToString(started);
  return started.changed();
}

TEST(Maincare, RestoresItsModulesInTheirOrderAndIsRestoredWithTheLast) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  Dumps();
  ON_THROWAWAY_HOST("maincare", {}, [&](PluginBench& bench) {
    const Host host;
    EXPECT_EQ(bench.Run(VERB_PROBE, "restore", json{{"manifest_sha256", std::string(64, 'a')}}).code(), "bad_params") << "which module?";
    EXPECT_EQ(bench.Run(VERB_APPLY, "restore", From("dpi")).code(), "out_of_order");
    ASSERT_TRUE(bench.Run(VERB_APPLY, "restore", From("gam")).changed());
    const Answer first = bench.Run(VERB_VERIFY, "restore", From("gam"));
    EXPECT_TRUE(first.holds()) << PrintToString(first);
    EXPECT_EQ(ClaimIn(first, "maincare.restored"), "fails") << "one of three";
    ASSERT_TRUE(bench.Run(VERB_APPLY, "restore", From("gef")).changed());
    EXPECT_EQ(bench.Run(VERB_APPLY, "start").code(), "not_restored");
    ASSERT_TRUE(bench.Run(VERB_APPLY, "restore", From("dpi")).changed());
    EXPECT_EQ(ClaimIn(bench.Run(VERB_VERIFY, "restore", From("dpi")), "maincare.restored"), "holds");
    // GAM's dump is no DPI's, whatever the plan says.
    json mixed = From("gam");
    mixed["module"] = "dpi";
    EXPECT_FALSE(bench.Run(VERB_PROBE, "restore", mixed).holds());
  });
}

TEST(Maincare, StaysUnderTestUntilItsOwnerAcceptsTheseVeryData) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  Dumps();
  ON_THROWAWAY_HOST("maincare", {}, [&](PluginBench& bench) {
    const Host host;
    if (!Started(bench)) return;
    const Answer degraded = bench.Run(VERB_APPLY, "degraded");
    EXPECT_TRUE(degraded.changed()) << PrintToString(degraded);
    const Answer marked = bench.Run(VERB_VERIFY, "degraded");
    EXPECT_TRUE(marked.holds()) << PrintToString(marked);
    EXPECT_EQ(ClaimIn(marked, "maincare.in_test"), "holds");
    EXPECT_EQ(ClaimIn(marked, "maincare.degraded_no_interface"), "fails") << "nobody has accepted";
    const Answer protocol = bench.Run(VERB_PROBE, "protocol");
    EXPECT_TRUE(protocol.holds()) << PrintToString(protocol);
    EXPECT_GE(protocol.value.at("evidence").size(), 13u);

    json other = Acceptance();
    other["manifests"][2] = "dpi=" + std::string(64, 'c');
    EXPECT_EQ(bench.Run(VERB_APPLY, "accept", other).code(), "wrong_copy");
    other = Acceptance();
    other["manifests"].erase(2);
    EXPECT_EQ(bench.Run(VERB_APPLY, "accept", other).code(), "wrong_copy");
    other = Acceptance();
    other["protocol"] = "another";
    EXPECT_EQ(bench.Run(VERB_APPLY, "accept", other).code(), "other_protocol");

    const Answer accepted = bench.Run(VERB_APPLY, "accept", Acceptance());
    EXPECT_TRUE(accepted.changed()) << PrintToString(accepted);
    const Answer verified = bench.Run(VERB_VERIFY, "accept", Acceptance());
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_EQ(ClaimIn(verified, "maincare.degraded_no_interface"), "holds");
    EXPECT_FALSE(bench.Run(VERB_APPLY, "accept", Acceptance()).changed());
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "health"), "maincare.degraded_no_interface"), "holds");
    EXPECT_EQ(bench.Run(VERB_ROLLBACK, "restore", From("dpi")).code(), "in_use");

    // Another restore after the acceptance: what was accepted is no longer there.
    ASSERT_TRUE(bench.Run(VERB_APPLY, "stop").changed());
    host.Ask("postgres", "DROP DATABASE maincare_gef WITH (FORCE)");
    ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "stop").done());
    const Answer gone = bench.Run(VERB_PROBE, "accept", Acceptance());
    EXPECT_FALSE(gone.holds());
    EXPECT_EQ(ClaimIn(gone, "maincare.degraded_no_interface"), "fails") << PrintToString(gone);

    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "accept", Acceptance()).done());
    EXPECT_FALSE(bench.Run(VERB_PROBE, "accept", Acceptance()).holds());
  });
}

TEST(Maincare, IsNotAcceptedWhereItsProtocolFails) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  Dumps();
  ON_THROWAWAY_HOST("maincare", {}, [&](PluginBench& bench) {
    const Host host;
    if (!Started(bench)) return;
    ASSERT_TRUE(bench.Run(VERB_APPLY, "degraded").done());
    // A document of nobody: only the program, which sees both bases, can tell.
    host.Ask("maincare_dpi", "UPDATE dpi.document SET ipp = '899999999' WHERE document_id = 1");
    const Answer protocol = bench.Run(VERB_PROBE, "protocol");
    EXPECT_FALSE(protocol.holds());
    EXPECT_THAT(protocol.value.value("summary", ""), HasSubstr("failed: dpi-no-orphan"));
    const Answer refused = bench.Run(VERB_APPLY, "accept", Acceptance());
    EXPECT_EQ(refused.code(), "protocol_failed");
    EXPECT_THAT(refused.result.message, HasSubstr("dpi-no-orphan"));
    EXPECT_FALSE(bench.Run(VERB_PROBE, "accept", Acceptance()).holds());
  });
}

TEST(Maincare, AHeavyClientIsSetUpOnAPostThatReachesIt) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  Dumps();
  ON_THROWAWAY_HOST("maincare", {}, [&](PluginBench& bench) {
    const Host host;
    const json params = {{"server", "127.0.0.1:8420"}, {"wait", "1s"}};
    EXPECT_EQ(bench.Run(VERB_APPLY, "post", params).code(), "not_admitted");
    if (!Started(bench)) return;
    EXPECT_TRUE(bench.Run(VERB_APPLY, "post", params).changed());
    EXPECT_THAT(Slurp("/opt/reprise-maincare-client/client.conf"), HasSubstr("server = 127.0.0.1\nport = 8420\n"));
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "post", params).holds());
  });
}

TEST(MaincarePlugin, ItsReadingActionsKeepTheContract) {
  for (const char* action : {"health", "protocol"}) {
    conformance::ConformanceOptions options;
    options.plugin = PluginFile("maincare");
    options.plugin_host = PluginHost();
    options.only_action = action;
    options.params_json = json{{action, json::object()}}.dump();
    const auto report = conformance::VerifyPlugin(options);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(conformance::Passed(*report)) << conformance::ToTable(*report);
  }
}

}  // namespace
}  // namespace reprise::plugins
