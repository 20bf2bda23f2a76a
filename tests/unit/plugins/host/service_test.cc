// host.service and host.service-running with a real runit on a throw-away host. systemd is not to be had in tests.
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::plugins {
namespace {

using ::testing::HasSubstr;

constexpr const char* kName = "reprise-test";

// runsvdir over /etc/service, ended with all that it supervises.
class Runit {
 public:
  Runit() {
    fs::remove_all("/etc/service");
    fs::create_directories("/etc/service");
    char* argv[] = {const_cast<char*>("runsvdir"), const_cast<char*>("/etc/service"), nullptr};
    char* envp[] = {const_cast<char*>("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nullptr};
    if (posix_spawnp(&pid_, "runsvdir", nullptr, nullptr, argv, envp) != 0) pid_ = -1;
  }
  ~Runit() {
    if (pid_ < 0) return;
    kill(pid_, SIGHUP);  // Ends the services too.
    int status;
    waitpid(pid_, &status, 0);
    EXPECT_TRUE(Eventually([] { return !Supervised(); })) << "a service goes on";
  }
  bool there() const { return pid_ > 0; }
  static bool Supervised() { return Slurp(fs::path("/etc/service") / kName / "supervise/stat").rfind("run", 0) == 0; }

 private:
  pid_t pid_ = -1;
};

void MakeService(const std::string& script, bool down) {
  const fs::path folder = fs::path("/etc/service") / ("." + std::string(kName));
  fs::create_directories(folder);
  Spit(folder / "run", "#!/bin/sh\n" + script + "\n");
  chmod((folder / "run").c_str(), 0755);
  if (down) Spit(folder / "down", "");
  fs::rename(folder, fs::path("/etc/service") / kName);
}

std::string WithRunit(const std::function<void(PluginBench&)>& body) {
  if (access("/usr/bin/runsvdir", X_OK) != 0) return "needs runit";
  return OnThrowawayHost("host", {}, [&](PluginBench& bench) {
    Runit runit;
    ASSERT_TRUE(runit.there());
    body(bench);
  });
}
#define WITH_RUNIT(...) \
  if (const std::string why_not = WithRunit(__VA_ARGS__); !why_not.empty()) GTEST_SKIP() << why_not

TEST(HostService, IsStartedProvenAndStoppedAgain) {
  WITH_RUNIT([](PluginBench& bench) {
    MakeService("exec sleep 1000", /*down=*/true);
    const json params = {{"name", kName}, {"settle", "300ms"}};
    ASSERT_TRUE(Eventually([&] {
      return bench.Run(VERB_PROBE, "service", params).value.value("summary", "").find("stopped") != std::string::npos;
    }));
    EXPECT_FALSE(bench.Run(VERB_PROBE, "service-running", {{"name", kName}}).holds());
    EXPECT_EQ(bench.Run(VERB_PLAN, "service", params).value.at("changes").size(), 1u);
    const Answer applied = bench.Run(VERB_APPLY, "service", params);
    ASSERT_TRUE(applied.changed()) << ::testing::PrintToString(applied);
    EXPECT_TRUE(bench.Run(VERB_PROBE, "service-running", {{"name", kName}}).holds());
    const Answer verified = bench.Run(VERB_VERIFY, "service", params);
    EXPECT_TRUE(verified.holds()) << ::testing::PrintToString(verified);
    EXPECT_FALSE(bench.Run(VERB_APPLY, "service", params).changed());
    const Answer undone = bench.Run(VERB_ROLLBACK, "service", params);
    EXPECT_TRUE(undone.done()) << ::testing::PrintToString(undone);
    EXPECT_FALSE(bench.Run(VERB_PROBE, "service", params).holds());
    EXPECT_FALSE(Runit::Supervised());
  });
}

TEST(HostService, ThatRanIsStoppedAndRunsAgainAfterRollback) {
  WITH_RUNIT([](PluginBench& bench) {
    MakeService("exec sleep 1000", /*down=*/false);
    const json params = {{"name", kName}, {"state", "stopped"}, {"settle", "100ms"}};
    ASSERT_TRUE(Eventually([] { return Runit::Supervised(); }));
    ASSERT_TRUE(bench.Run(VERB_APPLY, "service", params).changed());
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "service", params).holds());
    EXPECT_FALSE(Runit::Supervised());
    ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "service", params).done());
    EXPECT_TRUE(Runit::Supervised());
  });
}

TEST(HostService, ThatEndsAndIsStartedOverAndOverIsNotProven) {
  WITH_RUNIT([](PluginBench& bench) {
    MakeService("sleep 0.3", /*down=*/false);
    ASSERT_TRUE(Eventually([] { return Runit::Supervised(); }));
    const Answer verified = bench.Run(VERB_VERIFY, "service", {{"name", kName}, {"settle", "3s"}});
    ASSERT_TRUE(verified.done()) << ::testing::PrintToString(verified);
    EXPECT_FALSE(verified.holds());
  });
}

TEST(HostService, ThatNobodyKnowsIsAnErrorToStartAndNoneToStop) {
  WITH_RUNIT([](PluginBench& bench) {
    EXPECT_EQ(bench.Run(VERB_APPLY, "service", {{"name", "no-such"}}).code(), "no_service");
    EXPECT_EQ(bench.Run(VERB_PLAN, "service", {{"name", "no-such"}}).code(), "no_service");
    EXPECT_TRUE(bench.Run(VERB_PROBE, "service", {{"name", "no-such"}, {"state", "stopped"}}).holds());
    EXPECT_EQ(bench.Run(VERB_PROBE, "service", {{"name", "../x"}}).code(), "bad_params");
  });
}

TEST(HostService, IsUnknownNotStoppedWhereNobodySupervises) {
  ON_THROWAWAY_HOST("host", {}, [](PluginBench& bench) {
    fs::remove_all("/etc/service");
    const Answer probed = bench.Run(VERB_PROBE, "service-running", {{"name", "sshd"}});
    ASSERT_TRUE(probed.done()) << ::testing::PrintToString(probed);
    EXPECT_FALSE(probed.holds());
    EXPECT_EQ(probed.value.at("claims").at(0).at("state"), "unknown");
    EXPECT_FALSE(bench.Run(VERB_PROBE, "service", {{"name", "sshd"}, {"state", "stopped"}}).holds());
    EXPECT_EQ(bench.Run(VERB_APPLY, "service", {{"name", "sshd"}}).code(), "no_supervisor");
  });
}

}  // namespace
}  // namespace reprise::plugins
