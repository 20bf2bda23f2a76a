// package.remove and package.installed on a throw-away host.
#include "tests/unit/plugins/package/debs.h"

namespace reprise::plugins {
namespace {

using ::testing::HasSubstr;

TEST(PackageRemove, TakesThePackageItsConfigurationAndOnlyThat) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a", .files = {{"/etc/reprise-a.conf", "x\n"}}, .conffiles = "/etc/reprise-a.conf\n"});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install").changed());
    json params = {{"name", "reprise-a"}, {"purge", false}};
    EXPECT_FALSE(bench.Run(VERB_PROBE, "remove", params).holds());
    EXPECT_FALSE(bench.Run(VERB_VERIFY, "remove", params).holds());
    ASSERT_TRUE(bench.Run(VERB_APPLY, "remove", params).changed());
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "remove", params).holds());
    EXPECT_TRUE(fs::exists("/etc/reprise-a.conf"));
    params["purge"] = true;
    EXPECT_FALSE(bench.Run(VERB_PROBE, "remove", params).holds());
    const Answer purged = bench.Run(VERB_APPLY, "remove", params);
    ASSERT_TRUE(purged.changed()) << ::testing::PrintToString(purged);
    EXPECT_FALSE(fs::exists("/etc/reprise-a.conf"));
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "remove", params).holds());
    EXPECT_FALSE(bench.Run(VERB_APPLY, "remove", params).changed());
  });
}

TEST(PackageRemove, NamesWhatElseWouldGoAndTakesItOnlyIfAsked) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a"})
      .Add("b", {.name = "reprise-b", .more = "Depends: reprise-a\n"})
      .Add("c", {.name = "reprise-c", .more = "Depends: reprise-b\n"});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install").changed());
    json params = {{"name", "reprise-a"}};
    const Answer refused = bench.Run(VERB_APPLY, "remove", params);
    EXPECT_EQ(refused.code(), "needed_by_others");
    EXPECT_THAT(refused.result.message, HasSubstr("reprise-b"));
    EXPECT_EQ(DpkgSays("reprise-a"), "installed 1.0");
    params["with_dependents"] = true;
    const Answer planned = bench.Run(VERB_PLAN, "remove", params);
    EXPECT_EQ(planned.value.at("changes").size(), 3u) << ::testing::PrintToString(planned);
    EXPECT_THAT(planned.value.dump(), HasSubstr("reprise-c"));
    const Answer removed = bench.Run(VERB_APPLY, "remove", params);
    ASSERT_TRUE(removed.changed()) << ::testing::PrintToString(removed);
    for (const char* name : {"reprise-a", "reprise-b", "reprise-c"}) EXPECT_EQ(DpkgSays(name), "");
  });
}

TEST(PackageRemove, RefusesWhatTheHostCannotBeWithout) {
  ON_THROWAWAY_HOST("package", {}, [](PluginBench& bench) {
    for (const bool all : {false, true}) {
      EXPECT_EQ(bench.Run(VERB_APPLY, "remove", {{"name", "dpkg"}, {"with_dependents", all}}).code(),
                "essential_package");
    }
    EXPECT_EQ(bench.Run(VERB_PLAN, "remove", {{"name", "bash"}}).code(), "essential_package");
    // libc6 is not essential itself; what stands on it is.
    EXPECT_THAT(bench.Run(VERB_APPLY, "remove", {{"name", "libc6"}, {"with_dependents", true}}).code(),
                ::testing::AnyOf("essential_package", "needed_by_others"));
    EXPECT_EQ(DpkgSays("bash").rfind("installed", 0), 0u);
    EXPECT_TRUE(bench.Run(VERB_PROBE, "remove", {{"name", "reprise-never-there"}}).holds());
  });
}

TEST(PackageInstalled, ComparesVersionsAsDebianDoes) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a", .version = "1.10~rc1"});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install").changed());
    const auto probe = [&](json more) {
      json params = {{"name", "reprise-a"}};
      params.update(more);
      return bench.Run(VERB_PROBE, "installed", params);
    };
    EXPECT_TRUE(probe(json::object()).holds());
    EXPECT_TRUE(probe({{"min_version", "1.9"}}).holds());
    EXPECT_FALSE(probe({{"min_version", "1.10"}}).holds()) << "rc1 is earlier";
    EXPECT_TRUE(probe({{"version", "1.10~rc1"}}).holds());
    EXPECT_FALSE(probe({{"version", "1.10"}}).holds());
    EXPECT_EQ(probe({{"min_version", "--help"}}).code(), "bad_params");
    const Answer none = probe({{"name", "reprise-none"}, {"claim", "edr.package"}});
    EXPECT_FALSE(none.holds());
    EXPECT_EQ(none.value.at("claims").at(0).at("name"), "edr.package");
    EXPECT_EQ(none.value.at("claims").at(0).at("state"), "fails");
  });
}

}  // namespace
}  // namespace reprise::plugins
