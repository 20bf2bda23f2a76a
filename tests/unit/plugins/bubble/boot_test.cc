// What brings the rules back: the boot hook under a real runit, and the unit for systemd as its own tools see it.
#include "plugins/bubble/boot.h"

#include "plugins/bubble/rules.h"
#include "tests/unit/plugins/bubble/site.h"

namespace reprise::bubble {
namespace {

// A runsvdir over the gateway's /etc/service, ended with all that it supervises.
class Runit {
 public:
  Runit() {
    fs::create_directories("/etc/service");
    char* argv[] = {const_cast<char*>("runsvdir"), const_cast<char*>("/etc/service"), nullptr};
    char* envp[] = {const_cast<char*>("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nullptr};
    if (posix_spawnp(&pid_, "runsvdir", nullptr, nullptr, argv, envp) != 0) pid_ = -1;
  }
  ~Runit() {
    if (pid_ < 0) return;
    kill(pid_, SIGHUP);  // Ends the services too.
    waitpid(pid_, nullptr, 0);
    for (const auto& entry : fs::directory_iterator("/etc/service")) {
      EXPECT_TRUE(plugins::Eventually([&] {
        return plugins::Slurp(entry.path() / "supervise/stat").rfind("run", 0) != 0;
      })) << entry;
    }
  }
  Runit(const Runit&) = delete;
  Runit& operator=(const Runit&) = delete;
  bool there() const { return pid_ > 0; }

 private:
  pid_t pid_ = -1;
};

json KeptBubble() {
  json params = LabBubble();
  params["forwarding"] = "on";
  params["persist"] = true;
  return params;
}

const char* const kBoot = "/var/lib/reprise-plugins/bubble/lab.boot";

TEST(BootHook, BringsTheRulesBackBeforeForwarding) {
  if (access("/usr/bin/runsvdir", X_OK) != 0) GTEST_SKIP() << "needs runit";
  ON_A_SITE([](Site& site) {
    EXPECT_EQ(site.Gateway(VERB_APPLY, "gateway", KeptBubble()).code(), "no_supervisor");
    Runit runit;
    ASSERT_TRUE(runit.there());
    ASSERT_FALSE(Forwards(false));
    const Answer made = site.Gateway(VERB_APPLY, "gateway", KeptBubble());
    ASSERT_TRUE(made.changed()) << PrintToString(made);
    EXPECT_TRUE(Forwards(false) && Forwards(true)) << "the hook has turned it on";
    const Answer probed = site.Gateway(VERB_PROBE, "gateway", KeptBubble());
    EXPECT_TRUE(probed.holds()) << PrintToString(probed);
    EXPECT_FALSE(site.Gateway(VERB_APPLY, "gateway", KeptBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-1", "1h")).changed());
    ASSERT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443));

    // As after a restart: no rules, no forwarding; then the hook, once.
    ASSERT_TRUE(Command({"sv", "-w", "20", "stop", "/etc/service/reprise-bubble-lab"}));
    ASSERT_TRUE(Nft({"flush", "ruleset"}) && Command({"sysctl", "-q", "-w", "net.ipv4.ip_forward=0"}));
    EXPECT_FALSE(site.Gateway(VERB_PROBE, "gateway", KeptBubble()).holds());
    std::string said;
    ASSERT_TRUE(Command({kBoot}, &said)) << said;
    EXPECT_TRUE(Forwards(false));
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.2", 7443));
    EXPECT_TRUE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "posts come back";
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443)) << "flows come back closed";
    EXPECT_FALSE(site.Reaches("10.1.0.9", "10.20.0.2", 5432));
    EXPECT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-1", "1h")).changed())
        << "for what is left of its time";
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
    ASSERT_TRUE(Command({kBoot})) << "again";
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443)) << "rules that are there are left alone";

    // While the gateway runs somebody flushes everything: the guard loads them again.
    ASSERT_TRUE(Command({"sv", "-w", "20", "start", "/etc/service/reprise-bubble-lab"}));
    ASSERT_TRUE(Nft({"flush", "ruleset"}));
    EXPECT_TRUE(plugins::Eventually([&] { return Nft({"list", "table", "inet", "reprise_bubble_lab"}); }));
    EXPECT_FALSE(site.Reaches("10.1.0.9", "10.20.0.2", 5432));

    const Answer gone = site.Gateway(VERB_APPLY, "destroy", {{"bubble", "lab"}});
    ASSERT_TRUE(gone.changed()) << PrintToString(gone);
    EXPECT_TRUE(site.Gateway(VERB_VERIFY, "destroy", {{"bubble", "lab"}}).holds());
    EXPECT_FALSE(Forwards(false) || Forwards(true)) << "as it was before there was a bubble";
    EXPECT_FALSE(fs::exists(kBoot));
    EXPECT_FALSE(fs::exists("/etc/service/reprise-bubble-lab"));
  });
}

TEST(BootHook, IsAUnitThatSystemdUnderstandsAndOrdersBeforeTheNetwork) {
  Bubble bubble;
  bubble.charter.bubble = "lab";
  const std::string unit = UnitText(Store(), bubble);
  EXPECT_THAT(unit, HasSubstr("Before=network-pre.target"));
  EXPECT_THAT(unit, HasSubstr("ExecStartPre=/var/lib/reprise-plugins/bubble/lab.boot\nExecStart=/var/lib/"
                              "reprise-plugins/bubble/lab.guard"));
  if (access("/usr/bin/systemd-analyze", X_OK) != 0) GTEST_SKIP() << "needs systemd-analyze";
  std::string folder = fs::temp_directory_path() / "reprise-unit-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string file = folder + "/reprise-bubble-lab.service";
  // Its programs must be there for systemd-analyze.
  std::string there = unit;
  for (const char* ending : {"boot", "guard", "halt"}) {
    const std::string script = std::string("/var/lib/reprise-plugins/bubble/lab.") + ending;
    there.replace(there.find(script), script.size(), "/bin/true");
  }
  plugins::Spit(file, there);
  std::string said;
  EXPECT_TRUE(Command({"systemd-analyze", "verify", "--man=no", file}, &said)) << said;
  EXPECT_EQ(said.find("reprise-bubble"), std::string::npos) << said;
  fs::remove_all(folder);
}

TEST(BootHook, TurnsForwardingOnOnlyAfterTheRules) {
  Bubble bubble;
  bubble.charter.bubble = "lab";
  const std::string script = BootScript(bubble, "/rules.nft");
  EXPECT_LT(script.find("nft -f /rules.nft || exit 1"), script.find("echo 1"));
  bubble.charter.turns_forwarding_on = false;
  EXPECT_EQ(BootScript(bubble, "/rules.nft").find("echo"), std::string::npos);
}

}  // namespace
}  // namespace reprise::bubble
