// package.install: real packages, the real dpkg, a throw-away host.
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/unit/plugins/package/debs.h"

namespace reprise::plugins {
namespace {

using ::testing::HasSubstr;

TEST(PackageInstall, BringsPackagesInTheOrderThatTheyNeedAndTakesThemAwayAgain) {
  Debs debs;
  debs.Add("first", {.name = "reprise-a", .more = "Depends: reprise-b (>= 2)\n"})
      .Add("second", {.name = "reprise-b", .version = "2.0", .sums = false});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    EXPECT_FALSE(bench.Run(VERB_PROBE, "install").holds());
    const Answer planned = bench.Run(VERB_PLAN, "install");
    ASSERT_TRUE(planned.done()) << ::testing::PrintToString(planned);
    EXPECT_EQ(planned.value.at("changes").size(), 2u);
    EXPECT_EQ(DpkgSays("reprise-a"), "");
    const Answer applied = bench.Run(VERB_APPLY, "install");
    ASSERT_TRUE(applied.changed()) << ::testing::PrintToString(applied);
    EXPECT_EQ(DpkgSays("reprise-a"), "installed 1.0");
    EXPECT_EQ(DpkgSays("reprise-b"), "installed 2.0");
    EXPECT_EQ(Slurp("/opt/reprise-a/file"), "reprise-a 1.0\n");
    EXPECT_TRUE(bench.Run(VERB_PROBE, "install").holds());
    const Answer verified = bench.Run(VERB_VERIFY, "install");
    EXPECT_TRUE(verified.holds()) << ::testing::PrintToString(verified);
    EXPECT_THAT(verified.value.dump(), HasSubstr("md5sum of 1 files"));
    EXPECT_FALSE(bench.Run(VERB_APPLY, "install").changed());
    const Answer undone = bench.Run(VERB_ROLLBACK, "install");
    ASSERT_TRUE(undone.done()) << ::testing::PrintToString(undone);
    EXPECT_EQ(DpkgSays("reprise-a"), "");
    EXPECT_EQ(DpkgSays("reprise-b"), "");
    EXPECT_FALSE(fs::exists("/opt/reprise-a"));
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "install").done()) << "twice does no harm";
  });
}

TEST(PackageInstall, LeavesNothingBehindWhereADependencyIsMissing) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a", .more = "Depends: reprise-not-there\n"}).Add("b", {.name = "reprise-b"});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    const Answer applied = bench.Run(VERB_APPLY, "install");
    EXPECT_EQ(applied.code(), "dependency_missing");
    EXPECT_THAT(applied.result.message, HasSubstr("reprise-not-there"));
    EXPECT_THAT(applied.result.hint, HasSubstr("taken back"));
    EXPECT_EQ(DpkgSays("reprise-a"), "");
    EXPECT_EQ(DpkgSays("reprise-b"), "");
    EXPECT_TRUE(bench.Run(VERB_APPLY, "install", {{"packages", {"b"}}}).changed()) << "the host is whole";
  });
}

TEST(PackageInstall, LeavesNothingBehindWhereAPackagesOwnScriptFails) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a", .scripts = {{"postinst", "echo the server does not answer >&2; exit 1"}}});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    const Answer applied = bench.Run(VERB_APPLY, "install");
    EXPECT_EQ(applied.code(), "script_failed");
    EXPECT_THAT(applied.result.message, HasSubstr("the server does not answer"));
    EXPECT_EQ(DpkgSays("reprise-a"), "");
  });
}

TEST(PackageInstall, FinishesWhatAKillInterruptedAndStillUndoesIt) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a", .scripts = {{"postinst", "test -e /opt/go-on || sleep 30"}}});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    auto running = bench.Start(VERB_APPLY, "install");
    ASSERT_TRUE(Eventually([] { return DpkgSays("reprise-a").rfind("half-configured", 0) == 0; }))
        << DpkgSays("reprise-a");
    bench.KillAll();
    EXPECT_EQ(DpkgSays("reprise-a"), "half-configured 1.0");
    EXPECT_FALSE(bench.Run(VERB_PROBE, "install").holds());
    Spit("/opt/go-on", "");
    const Answer again = bench.Run(VERB_APPLY, "install");
    ASSERT_TRUE(again.changed()) << ::testing::PrintToString(again);
    EXPECT_THAT(again.value.at("summary").get<std::string>(), HasSubstr("finished"));
    EXPECT_EQ(DpkgSays("reprise-a"), "installed 1.0");
    ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "install").done());
    EXPECT_EQ(DpkgSays("reprise-a"), "") << "it remembers that it was this step that brought it";
  });
}

TEST(PackageInstall, EndsSoonAfterItsDeadline) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a", .scripts = {{"postinst", "sleep 30"}}});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    auto running = bench.Start(VERB_APPLY, "install", json::object(), std::chrono::seconds(4));
    const auto begin = std::chrono::steady_clock::now();
    const Answer answer = running.get();
    EXPECT_FALSE(answer.done());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(7));
    EXPECT_FALSE(bench.Run(VERB_PROBE, "install").holds());
  });
}

TEST(PackageInstall, WaitsForTheLockOfAnotherAndNeverTakesIt) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a"});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    int fd = open("/var/lib/dpkg/lock-frontend", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    ASSERT_EQ(fcntl(fd, F_SETLK, &lock), 0);
    EXPECT_EQ(bench.Run(VERB_APPLY, "install", json::object(), std::chrono::seconds(10)).code(), "dpkg_locked");
    EXPECT_EQ(DpkgSays("reprise-a"), "");
    auto running = bench.Start(VERB_APPLY, "install");
    EXPECT_EQ(running.wait_for(std::chrono::seconds(2)), std::future_status::timeout) << "it waits";
    close(fd);
    EXPECT_TRUE(running.get().changed());

    ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "install").done());
    fd = open("/var/lib/dpkg/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);  // As a dpkg started by hand holds it.
    ASSERT_EQ(fcntl(fd, F_SETLK, &lock), 0);
    running = bench.Start(VERB_APPLY, "install");
    EXPECT_EQ(running.wait_for(std::chrono::seconds(2)), std::future_status::timeout) << "it waits";
    close(fd);
    EXPECT_TRUE(running.get().changed());
  });
}

TEST(PackageInstall, CallsABrokenDatabaseByItsName) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a"});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    std::ofstream("/var/lib/dpkg/status", std::ios::app) << "\nPackage: half\nStatus: nonsense\n\x01\x02";
    for (const auto verb : {VERB_PROBE, VERB_PLAN, VERB_APPLY}) {
      const Answer answer = bench.Run(verb, "install");
      EXPECT_EQ(answer.code(), "dpkg_broken") << ::testing::PrintToString(answer);
      EXPECT_THAT(answer.result.hint, HasSubstr("status-old"));
    }
    fs::remove("/var/lib/dpkg/status");
    EXPECT_EQ(bench.Run(VERB_APPLY, "install").code(), "dpkg_broken");
    EXPECT_FALSE(fs::exists("/opt/reprise-a"));
  });
}

TEST(PackageInstall, SaysThatTheDiskIsFullAndTakesBackWhatItBegan) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a", .files = {{"/srv/reprise-full/big", std::string(1 << 20, 'x')}}});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    fs::create_directories("/srv/reprise-full");
    ASSERT_EQ(mount("none", "/srv/reprise-full", "tmpfs", 0, "size=256k"), 0);
    const Answer applied = bench.Run(VERB_APPLY, "install");
    EXPECT_EQ(applied.code(), "disk_full") << ::testing::PrintToString(applied);
    EXPECT_THAT(DpkgSays("reprise-a"), ::testing::AnyOf("", "not-installed "));
    EXPECT_TRUE(fs::is_empty("/srv/reprise-full"));
  });
}

TEST(PackageInstall, ProvesFilesNotOnlyDpkgsWord) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a",
                 .files = {{"/opt/reprise-a/program", "good"}, {"/etc/reprise-a.conf", "setting=1\n"}},
                 .conffiles = "/etc/reprise-a.conf\n"});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install").changed());
    Spit("/etc/reprise-a.conf", "setting=2\n");
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "install").holds()) << "configuration is the host's";
    Spit("/opt/reprise-a/program", "evil");
    // As an intruder would: dpkg's own sums are made to fit.
    fs::remove("/var/lib/dpkg/info/reprise-a.md5sums");
    EXPECT_TRUE(bench.Run(VERB_PROBE, "install").holds()) << "dpkg sees nothing";
    const Answer verified = bench.Run(VERB_VERIFY, "install");
    ASSERT_TRUE(verified.done()) << ::testing::PrintToString(verified);
    EXPECT_FALSE(verified.holds());
    EXPECT_THAT(verified.value.at("summary").get<std::string>(), HasSubstr("/opt/reprise-a/program"));
  });
}

TEST(PackageInstall, SaysThatAnUpgradeCannotBePutBack) {
  Debs debs;
  debs.Add("old", {.name = "reprise-a"})
      .Add("new", {.name = "reprise-a", .version = "1.10"})
      .Add("more", {.name = "reprise-b"});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install", {{"packages", {"old"}}}).changed());
    const json params = {{"packages", {"new", "more"}}};
    EXPECT_THAT(bench.Run(VERB_PLAN, "install", params).value.dump(),
                HasSubstr("rollback cannot put the earlier one back"));
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install", params).changed());
    EXPECT_EQ(DpkgSays("reprise-a"), "installed 1.10");
    const Answer undone = bench.Run(VERB_ROLLBACK, "install", params);
    EXPECT_EQ(undone.code(), "not_restored");
    EXPECT_THAT(undone.result.message, HasSubstr("reprise-a stays installed 1.10, it was at 1.0"));
    EXPECT_EQ(DpkgSays("reprise-b"), "") << "what was new is gone all the same";
    EXPECT_EQ(bench.Run(VERB_APPLY, "install", {{"packages", {"old"}}}).code(), "newer_installed");
    EXPECT_TRUE(bench.Run(VERB_APPLY, "install", {{"packages", {"old"}}, {"allow_downgrade", true}}).changed());
    EXPECT_EQ(DpkgSays("reprise-a"), "installed 1.0");
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "install", params).done()) << "by now it is as it was";
  });
}

TEST(PackageInstall, SaysHowAnUpgradeThatFailedLeftThings) {
  Debs debs;
  debs.Add("old", {.name = "reprise-a"})
      .Add("new", {.name = "reprise-a", .version = "2", .scripts = {{"postinst", "exit 1"}}});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install", {{"packages", {"old"}}}).changed());
    const Answer applied = bench.Run(VERB_APPLY, "install", {{"packages", {"new"}}});
    EXPECT_EQ(applied.code(), "script_failed");
    EXPECT_THAT(applied.result.hint, HasSubstr("reprise-a stays half-configured 2, it was at 1.0"));
    EXPECT_TRUE(bench.Run(VERB_APPLY, "install", {{"packages", {"old"}}}).changed()) << "the earlier one mends it";
    EXPECT_EQ(DpkgSays("reprise-a"), "installed 1.0");
  });
}

TEST(PackageInstall, DoesNotTakeAwayWhatOthersCameToNeedNorAnotherVersion) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a"})
      .Add("newer", {.name = "reprise-a", .version = "2"})
      .Add("user", {.name = "reprise-u", .more = "Depends: reprise-a\n"});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    const json a = {{"packages", {"a"}}};
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install", a).changed());
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install", {{"packages", {"user"}}}).changed());
    const Answer undone = bench.Run(VERB_ROLLBACK, "install", a);
    EXPECT_EQ(undone.code(), "needed_by_others");
    EXPECT_THAT(undone.result.message, HasSubstr("reprise-u"));
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install", {{"packages", {"newer"}}}).changed());
    EXPECT_EQ(bench.Run(VERB_ROLLBACK, "install", a).code(), "changed_since");
    EXPECT_EQ(DpkgSays("reprise-a"), "installed 2");
  });
}

TEST(PackageInstall, KeepsChangedConfigurationUnlessTheNewIsAskedFor) {
  Debs debs;
  const auto with = [](const char* version, const char* text) {
    return Deb{.name = "reprise-a",
               .version = version,
               .files = {{"/etc/reprise-a.conf", text}},
               .conffiles = "/etc/reprise-a.conf\n"};
  };
  debs.Add("v1", with("1", "one\n")).Add("v2", with("2", "two\n")).Add("v3", with("3", "three\n"));
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install", {{"packages", {"v1"}}}).changed());
    Spit("/etc/reprise-a.conf", "mine\n");
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install", {{"packages", {"v2"}}}).changed()) << "nobody is asked";
    EXPECT_EQ(Slurp("/etc/reprise-a.conf"), "mine\n");
    ASSERT_TRUE(bench.Run(VERB_APPLY, "install", {{"packages", {"v3"}}, {"configuration_files", "new"}}).changed());
    EXPECT_EQ(Slurp("/etc/reprise-a.conf"), "three\n");
  });
}

TEST(PackageInstall, RespectsThePolicyAboutServices) {
  Debs debs;
  debs.Add("a", {.name = "reprise-a",
                 .files = {{"/opt/reprise-a/file", "x"}},
                 .scripts = {{"postinst", "invoke-rc.d reprise-a start"}}});
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    if (!fs::exists("/usr/sbin/invoke-rc.d")) return;
    Spit("/etc/init.d/reprise-a", "#!/bin/sh\necho \"$1\" >> /opt/started\n");
    chmod("/etc/init.d/reprise-a", 0755);
    Spit("/usr/sbin/policy-rc.d", "#!/bin/sh\necho asked >> /opt/asked\nexit 101\n");
    chmod("/usr/sbin/policy-rc.d", 0755);
    const Answer applied = bench.Run(VERB_APPLY, "install");
    ASSERT_TRUE(applied.changed()) << ::testing::PrintToString(applied);
    EXPECT_FALSE(fs::exists("/opt/started"));
    EXPECT_TRUE(fs::exists("/opt/asked"));
  });
}

TEST(PackageInstall, RefusesWhatIsNotForThisHost) {
  Debs debs;
  debs.Add("arm", {.name = "reprise-a", .architecture = "s390x"})
      .Add("a", {.name = "reprise-a"})
      .AddFile("text", "no package");
  ON_THROWAWAY_HOST("package", debs.artifacts(), [](PluginBench& bench) {
    EXPECT_EQ(bench.Run(VERB_APPLY, "install", {{"packages", {"arm"}}}).code(), "wrong_architecture");
    EXPECT_EQ(bench.Run(VERB_PROBE, "install", {{"packages", {"text"}}}).code(), "bad_package");
    EXPECT_EQ(bench.Run(VERB_APPLY, "install", {{"packages", {"nowhere"}}}).code(), "artifact_missing");
    EXPECT_EQ(bench.Run(VERB_APPLY, "install", {{"packages", {"a", "a"}}}).code(), "bad_package");
    EXPECT_EQ(DpkgSays("reprise-a"), "");
  });
}

}  // namespace
}  // namespace reprise::plugins
