// edr.install and edr.uninstall: the real packages, the real dpkg, a real runit and clamd, on a throw-away host.
#include <set>

#include "tests/unit/plugins/edr/clamav_debs.h"
#include "tests/unit/plugins/edr/lone_runit.h"

namespace reprise::edr {
namespace {

using plugins::Answer;
using plugins::PluginBench;
using plugins::VERB_APPLY;
using plugins::VERB_PLAN;
using plugins::VERB_PROBE;
using plugins::VERB_ROLLBACK;
using plugins::VERB_VERIFY;
using ::testing::HasSubstr;
using ::testing::PrintToString;

// A host without ClamAV, with a runit of its own. `only`: the artifacts that the steps have; empty: all.
std::string OnABareHost(const std::function<void(PluginBench&)>& body, const std::set<std::string>& only = {}) {
  static const ClamAvDebs debs;
  if (!debs.why_not().empty()) return debs.why_not();
  if (access("/usr/bin/runsvdir", X_OK) != 0) return "needs runit";
  plugins::Artifacts artifacts = debs.artifacts();
  if (!only.empty()) std::erase_if(artifacts, [&](const auto& one) { return !only.contains(one.first); });
  return plugins::OnThrowawayHost("edr", artifacts, [&](PluginBench& bench) {
    TakeClamAvAway();
    LoneRunit runit;
    ASSERT_TRUE(runit.there());
    body(bench);
  });
}

constexpr std::chrono::minutes kInstall(4);

Answer Install(PluginBench& bench) { return bench.Run(VERB_APPLY, "install", json::object(), kInstall); }

TEST(EdrInstall, ProtectsAHostAndIsUndoneWholly) {
  const std::string why_not = OnABareHost([](PluginBench& bench) {
    const Answer before = bench.Run(VERB_PROBE, "install");
    ASSERT_TRUE(before.done()) << PrintToString(before);
    EXPECT_EQ(StateOf(before), "fails");
    EXPECT_GE(bench.Run(VERB_PLAN, "install").value.at("changes").size(), 6u);
    EXPECT_EQ(StateOf(bench.Run(VERB_PROBE, "heartbeat")), "fails");

    const Answer applied = Install(bench);
    ASSERT_TRUE(applied.changed()) << PrintToString(applied);
    const Answer probed = bench.Run(VERB_PROBE, "install");
    EXPECT_TRUE(probed.holds()) << PrintToString(probed);
    EXPECT_EQ(StateOf(probed), "holds");
    EXPECT_THAT(probed.value.at("claims").at(0).at("detail").get<std::string>(), HasSubstr("finds EICAR as Reprise.Test.EICAR"));
    const Answer verified = bench.Run(VERB_VERIFY, "install");
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_EQ(StateOf(bench.Run(VERB_PROBE, "heartbeat", {{"max_age", "36500d"}})), "holds");
    EXPECT_FALSE(Install(bench).changed());
    EXPECT_TRUE(bench.Run(VERB_PLAN, "install").value.at("changes").empty());

    Spit("/srv/eicar.com", Eicar());
    EXPECT_EQ(StateOf(bench.Run(VERB_PROBE, "scan", {{"paths", {"/srv"}}})), "fails");
    fs::remove("/srv/eicar.com");
    Spit("/srv/letter", "Dear colleagues");
    EXPECT_EQ(StateOf(bench.Run(VERB_PROBE, "scan", {{"paths", {"/srv"}}})), "holds");

    const Answer undone = bench.Run(VERB_ROLLBACK, "install", json::object(), kInstall);
    ASSERT_TRUE(undone.done()) << PrintToString(undone);
    EXPECT_FALSE(bench.Run(VERB_PROBE, "install").holds());
    for (const char* path : {"/usr/sbin/clamd", "/etc/clamav", "/var/lib/clamav", "/var/log/clamav", "/etc/service/clamd",
                             "/var/lib/reprise-edr", "/usr/sbin/policy-rc.d.before-reprise"}) {
      EXPECT_FALSE(fs::exists(path)) << path;
    }
    EXPECT_TRUE(bench.Run(VERB_PROBE, "uninstall").holds());
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(EdrInstall, MendsWhatWasChangedBehindItsBack) {
  const std::string why_not = OnABareHost([](PluginBench& bench) {
    ASSERT_TRUE(Install(bench).changed());
    Spit("/etc/clamav/clamd.conf", Slurp("/etc/clamav/clamd.conf") + "ExcludePath ^/\n");
    Answer probed = bench.Run(VERB_PROBE, "install");
    EXPECT_FALSE(probed.holds());
    EXPECT_EQ(StateOf(probed), "unknown") << PrintToString(probed);
    EXPECT_TRUE(Install(bench).changed());
    EXPECT_TRUE(bench.Run(VERB_PROBE, "install").holds());

    // Its service is down: nobody is protected, and another apply brings it up.
    sdk::FakeCall call(json{{"verb", "apply"}, {"work_dir", "/"}});
    const sdk::Context context(call.call(), call.request());
    sdk::Services(context).Stop("clamd");
    EXPECT_EQ(StateOf(bench.Run(VERB_PROBE, "install")), "fails");
    EXPECT_TRUE(Install(bench).changed());
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "install").holds());
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(EdrInstall, GoesOnAfterBeingKilledAnywhere) {
  const std::string why_not = OnABareHost([](PluginBench& bench) {
    for (const int after_ms : {150, 600, 1500}) {
      auto running = bench.Start(VERB_APPLY, "install", json::object(), kInstall);
      running.wait_for(std::chrono::milliseconds(after_ms));
      bench.KillAll();
      EXPECT_TRUE(bench.Run(VERB_PROBE, "install").done()) << "whatever was left, it can be looked at";
    }
    const Answer applied = Install(bench);
    ASSERT_TRUE(applied.done()) << PrintToString(applied);
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "install").holds());
    ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "install", json::object(), kInstall).done());
    EXPECT_FALSE(fs::exists("/usr/sbin/clamd"));
    EXPECT_THAT(Slurp("/usr/sbin/policy-rc.d"), ::testing::Not(HasSubstr("Written by Reprise")));
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(EdrInstall, NamesWhatIsMissing) {
  const std::string why_not = OnABareHost([](PluginBench& bench) {
    const Answer none = Install(bench);
    EXPECT_EQ(none.code(), "artifact_missing");
    EXPECT_THAT(none.result.message, HasSubstr("libclamav12"));
    fs::remove_all("/etc/service");
    EXPECT_EQ(Install(bench).code(), "no_supervisor");
  }, {"reprise.ndb"});
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(EdrUninstall, TakesAwayWhatIsThereAndSaysThatNobodyIsProtected) {
  const std::string why_not = OnABareHost([](PluginBench& bench) {
    ASSERT_TRUE(Install(bench).changed());
    EXPECT_FALSE(bench.Run(VERB_PROBE, "uninstall").holds());
    EXPECT_GE(bench.Run(VERB_PLAN, "uninstall").value.at("changes").size(), 5u);
    const Answer applied = bench.Run(VERB_APPLY, "uninstall", json::object(), kInstall);
    ASSERT_TRUE(applied.changed()) << PrintToString(applied);
    const Answer verified = bench.Run(VERB_VERIFY, "uninstall");
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_EQ(StateOf(verified), "fails");
    EXPECT_FALSE(fs::exists("/usr/sbin/clamd"));
    EXPECT_FALSE(fs::exists("/var/lib/clamav"));
    EXPECT_FALSE(bench.Run(VERB_APPLY, "uninstall").changed());
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

}  // namespace
}  // namespace reprise::edr
