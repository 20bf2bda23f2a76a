// What brings the rules back: the boot hook under a real runit, and the unit for systemd as its own tools see it.
#include "plugins/bubble/boot.h"

#include "plugins/bubble/rules.h"
#include "tests/unit/plugins/bubble/restarted.h"

namespace reprise::bubble {
namespace {

TEST(BootHook, BringsTheRulesBackBeforeForwarding) {
  if (access("/usr/bin/runsvdir", X_OK) != 0) GTEST_SKIP() << "needs runit";
  ON_A_SITE([](Site& site) {
    EXPECT_EQ(site.Gateway(VERB_APPLY, "gateway", KeptBubble()).code(), "no_supervisor");
    plugins::OwnRunit runit;
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

    ASSERT_TRUE(Restarted());
    EXPECT_FALSE(site.Gateway(VERB_PROBE, "gateway", KeptBubble()).holds());
    std::string said;
    ASSERT_TRUE(Command({kBoot}, &said)) << said;
    EXPECT_TRUE(Forwards(false) && Forwards(true));
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.2", 7443)) << "members reach their coordinator";
    EXPECT_FALSE(site.Reaches("10.1.0.9", "10.20.0.2", 5432));
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "posts wait for a proof: see restart_test.cc";
    ASSERT_TRUE(Command({kBoot})) << "again";
    ASSERT_TRUE(Command({"sv", "-w", "20", "start", "/etc/service/reprise-bubble-lab"}));
    EXPECT_TRUE(plugins::Eventually([&] { return site.Gateway(VERB_PROBE, "gateway", KeptBubble()).holds(); }));
    // Somebody takes the bolts away: the guard sets them again.
    ASSERT_TRUE(Command({"ip", "-4", "rule", "del", "pref", "13", "iif", "in0"}) &&
                Command({"ip", "-6", "rule", "del", "pref", "11"}));
    EXPECT_TRUE(plugins::Eventually([&] { return site.Gateway(VERB_PROBE, "gateway", KeptBubble()).holds(); }));

    const Answer gone = site.Gateway(VERB_APPLY, "destroy", {{"bubble", "lab"}});
    ASSERT_TRUE(gone.changed()) << PrintToString(gone);
    EXPECT_TRUE(site.Gateway(VERB_VERIFY, "destroy", {{"bubble", "lab"}}).holds());
    EXPECT_FALSE(Forwards(false) || Forwards(true)) << "as it was before there was a bubble";
    EXPECT_FALSE(fs::exists(kBoot));
    std::string routing;
    EXPECT_TRUE(Command({"ip", "-4", "rule", "show"}, &routing));
    EXPECT_EQ(routing.find("blackhole"), std::string::npos) << routing;
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
  Spit(file, there);
  std::string said;
  EXPECT_TRUE(Command({"systemd-analyze", "verify", "--man=no", file}, &said)) << said;
  EXPECT_EQ(said.find("reprise-bubble"), std::string::npos) << said;
  fs::remove_all(folder);
}

TEST(BootHook, TurnsForwardingOnOnlyAfterTheRulesAndTheBolts) {
  Bubble bubble;
  bubble.charter.bubble = "lab";
  const std::string script = BootScript(bubble, "/rules.nft");
  EXPECT_LT(script.find("nft -f /rules.nft || exit 1"), script.find("ip -4 -force -batch /rules.bolt4"));
  EXPECT_LT(script.find("ip -4 -force -batch /rules.bolt4"), script.find("echo 1"));
  bubble.charter.turns_forwarding_on = false;
  EXPECT_EQ(BootScript(bubble, "/rules.nft").find("echo"), std::string::npos);
}

}  // namespace
}  // namespace reprise::bubble
