// Batches between two real Dovecots, by the plugin under the agent's own runner.
#include <gmock/gmock.h>

#include "tests/unit/plugins/edr/lone_clamd.h"
#include "tests/unit/plugins/mail/cutting_proxy.h"
#include "tests/unit/plugins/mail/move_bench.h"

namespace reprise::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void ExpectSame(MoveSite& site, const std::string& user) {
  const OnDisk before = site.Old(user), after = site.New(user);
  EXPECT_GT(before.size(), 0u);
  EXPECT_EQ(after.size(), before.size()) << user;
  EXPECT_TRUE(after == before) << user << ": not the same files";
}

Answer Apply(PluginBench& bench, MoveSite& site, const std::string& action, const json& more = json::object()) {
  return bench.Run(VERB_APPLY, action, site.Params(more), seconds(120));
}

TEST(MailMove, MovesABatchInStepsAndProvesIt) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{"anne@hr1.example", 0}, {"bert@hr1.example", 0}});
    site.Fill("anne@hr1.example", {"INBOX"}, 1, 40);
    site.Fill("anne@hr1.example", {"Archives", "Ao\u00FBt 2022"}, 40, 55);
    site.Fill("bert@hr1.example", {"INBOX"}, 60, 75);
    // Two equal messages are two.
    site.Fill("bert@hr1.example", {"INBOX"}, 60, 62);

    const Answer planned = bench.Run(VERB_PLAN, "prestage", site.Params());
    ASSERT_TRUE(planned.done()) << ::testing::PrintToString(planned);
    EXPECT_THAT(planned.value.at("summary").get<std::string>(), HasSubstr("71 messages to copy"));
    EXPECT_FALSE(bench.Run(VERB_PROBE, "prestage", site.Params()).holds());
    const Answer applied = Apply(bench, site, "prestage");
    ASSERT_TRUE(applied.changed()) << ::testing::PrintToString(applied);
    ExpectSame(site, "anne@hr1.example");
    ExpectSame(site, "bert@hr1.example");
    const Answer proven = bench.Run(VERB_VERIFY, "prestage", site.Params({{"sample", 1}}));
    EXPECT_EQ(ClaimIn(proven, "mail.prestaged"), "holds") << ::testing::PrintToString(proven);
    EXPECT_EQ(MeasureIn(proven, "mail.boxes", "lot-1.prestaged"), 2);
    EXPECT_EQ(MeasureIn(proven, "mail.messages_copied", "lot-1"), 71);
    EXPECT_TRUE(bench.Run(VERB_PROBE, "prestage", site.Params()).holds());
    EXPECT_FALSE(Apply(bench, site, "prestage").changed());
    EXPECT_TRUE(bench.Run(VERB_PROBE, "delta", site.Params()).holds());

    // Meanwhile people work: new mail, one read, one deleted.
    {
      auto anne = site.Connect(site.old_server(), "anne@hr1.example");
      anne->Open({"INBOX"});
      anne->SetFlags(2, {"\\Answered", "\\Seen"});
      anne->Remove(5);
    }
    site.Fill("anne@hr1.example", {"INBOX"}, 80, 84);
    EXPECT_FALSE(bench.Run(VERB_PROBE, "delta", site.Params()).holds());
    EXPECT_TRUE(Apply(bench, site, "delta").changed());
    ExpectSame(site, "anne@hr1.example");

    site.Fill("bert@hr1.example", {"Nouveau"}, 90, 93);
    const json closing = {{"quiet", "100ms"}};
    const Answer over = Apply(bench, site, "cut_over", closing);
    ASSERT_TRUE(over.changed()) << ::testing::PrintToString(over);
    ExpectSame(site, "bert@hr1.example");
    const Answer verified = bench.Run(VERB_VERIFY, "cut_over", site.Params(closing));
    EXPECT_EQ(ClaimIn(verified, "mail.cut_over"), "holds") << ::testing::PrintToString(verified);
    EXPECT_EQ(MeasureIn(verified, "mail.boxes", "lot-1.cut_over"), 2);
    // Run again there is nothing to do, and nothing to be said against what was proven; verify proves it anew.
    const Answer again = bench.Run(VERB_PROBE, "cut_over", site.Params(closing));
    EXPECT_TRUE(again.holds());
    EXPECT_EQ(ClaimIn(again, "mail.cut_over"), "") << ::testing::PrintToString(again);
    const Answer anew = bench.Run(VERB_PROBE, "verify", site.Params());
    EXPECT_EQ(ClaimIn(anew, "mail.verified"), "holds");
    EXPECT_EQ(ClaimIn(anew, "mail.cut_over"), "holds");
    // Nothing comes into the source any more.
    EXPECT_EQ(CodeOf([&] { site.Fill("anne@hr1.example", {"INBOX"}, 95, 96); }), "no_permission");

    // Names are in the mail lead's report, and nowhere else.
    const std::string report = Slurp(std::string(kStateFolder) + "/reports/lot-1.txt");
    EXPECT_THAT(report, HasSubstr("anne@hr1.example"));
    EXPECT_EQ(fs::status(std::string(kStateFolder) + "/reports/lot-1.txt").permissions(), fs::perms(0600));
    for (const Answer* answer : {&planned, &applied, &proven, &over, &verified}) {
      const std::string said = answer->value.dump() + answer->result.message;
      EXPECT_THAT(said, Not(HasSubstr("anne@"))) << said;
      EXPECT_THAT(said, Not(HasSubstr(site.old_server().master_password())));
    }
    // No secret is anywhere on this host but in its own file.
    for (const auto& entry : fs::recursive_directory_iterator(kStateFolder)) {
      if (!entry.is_regular_file()) continue;
      const std::string content = Slurp(entry.path());
      for (const std::string& secret : {site.old_server().master_password(), site.new_server().master_password()}) {
        EXPECT_EQ(content.find(secret), std::string::npos) << entry.path();
      }
      EXPECT_THAT(entry.path().string(), Not(HasSubstr("anne")));
    }
  });
}

TEST(MailMove, KilledAtManyInstantsDoublesNothingAndLosesNothing) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{"anne@hr1.example", 0}, {"bert@hr1.example", 0}});
    constexpr size_t kAnne = 2000, kBert = 1000;
    site.Fill("anne@hr1.example", {"INBOX"}, 1, 1501);
    site.Fill("anne@hr1.example", {"Archives"}, 3001, 3501);
    site.Fill("bert@hr1.example", {"INBOX"}, 4000, 5000);
    site.LimitMessagesPerSecond(500);  // However fast the machine is, it does not come to the end before it has been killed often.
    const auto there = [&] { return site.CountNew("anne@hr1.example") + site.CountNew("bert@hr1.example"); };
    std::mt19937 random(20221121);
    int killed = 0, in_the_middle = 0;
    // Each time some more have arrived; and then at any instant of what comes next.
    for (size_t until = 0; until < kAnne + kBert; until = there() + random() % 200) {
      auto running = bench.Start(VERB_APPLY, "prestage", site.Params(), seconds(60));
      while (there() < until && running.wait_for(milliseconds(0)) == std::future_status::timeout) {
      }
      const bool ended = running.wait_for(std::chrono::microseconds(random() % 30'000)) == std::future_status::ready;
      bench.KillAll();
      killed += !ended;
      const size_t anne = site.CountNew("anne@hr1.example"), bert = site.CountNew("bert@hr1.example");
      in_the_middle += !ended && anne + bert > 0 && anne + bert < kAnne + kBert;
      EXPECT_LE(anne, kAnne) << "doubled";
      EXPECT_LE(bert, kBert) << "doubled";
      if (ended) break;
    }
    EXPECT_GE(in_the_middle, 8);
    site.LimitMessagesPerSecond(0);
    const Answer applied = Apply(bench, site, "prestage");
    ASSERT_TRUE(applied.done()) << ::testing::PrintToString(applied);
    ExpectSame(site, "anne@hr1.example");
    ExpectSame(site, "bert@hr1.example");
    const Answer proven = bench.Run(VERB_PROBE, "verify", site.Params(), seconds(120));
    EXPECT_EQ(ClaimIn(proven, "mail.verified"), "holds") << ::testing::PrintToString(proven);
    std::printf("killed %d times, %d of them in the middle\n", killed, in_the_middle);
  });
}

TEST(MailMove, EitherServerKilledMeanwhileDoublesNothingAndLosesNothing) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{"anne@hr1.example", 0}});
    site.Fill("anne@hr1.example", {"INBOX"}, 1, 900);
    std::mt19937 random(19);
    for (int i = 0; i < 6; ++i) {
      auto running = bench.Start(VERB_APPLY, "prestage", site.Params(), seconds(120));
      running.wait_for(milliseconds(250 + random() % 500));
      Dovecot& server = i % 2 == 0 ? site.new_server() : site.old_server();
      server.Kill();
      server.Start();
      // It goes on by itself, once the server is back.
      const Answer applied = running.get();
      ASSERT_TRUE(applied.done()) << ::testing::PrintToString(applied);
      ExpectSame(site, "anne@hr1.example");
      site.Fill("anne@hr1.example", {"INBOX"}, 1000 + 300 * i, 1300 + 300 * i);
    }
    ASSERT_TRUE(Apply(bench, site, "delta").done());
    ExpectSame(site, "anne@hr1.example");
  });
}

TEST(MailMove, AppendsThatNobodySawAcknowledgedAreFoundAndNotRepeated) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{"anne@hr1.example", 0}});
    site.Fill("anne@hr1.example", {"INBOX"}, 1, 1000, 600);
    const CuttingProxy proxy(site.new_server().port(), {30'000, 64'111, 111'111});
    json profile = site.ProfileJson(site.new_server());
    profile["port"] = proxy.port();
    site.Write("new.profile.json", profile.dump());
    const Answer applied = Apply(bench, site, "prestage");
    ASSERT_TRUE(applied.done()) << ::testing::PrintToString(applied);
    EXPECT_EQ(proxy.cut(), 3u);
    ExpectSame(site, "anne@hr1.example");
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "verify", site.Params(), seconds(120)), "mail.verified"), "holds");
  });
}

TEST(MailMove, ABoxOverItsQuotaIsNamedStopsNoOtherAndKeepsItsOrderWhenItGoesOn) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{"anne@hr1.example", 0}, {"bert@hr1.example", 9000}});
    site.Fill("anne@hr1.example", {"INBOX"}, 1, 50);
    // Where a large one has no room a small one behind it has.
    for (int i = 50; i < 100; i += 5) {
      site.Fill("bert@hr1.example", {"INBOX"}, i, i + 1, 3000);
      site.Fill("bert@hr1.example", {"INBOX"}, i + 1, i + 5, 200);
    }
    const Answer strict = Apply(bench, site, "prestage", {{"failures_max", "0"}});
    EXPECT_EQ(strict.code(), "boxes_failed");
    EXPECT_THAT(strict.result.message, AllOf(HasSubstr("over_quota 1"), Not(HasSubstr("bert"))));
    ExpectSame(site, "anne@hr1.example");
    EXPECT_THAT(Slurp(std::string(kStateFolder) + "/reports/lot-1.txt"), HasSubstr("bert@hr1.example: en \u00E9chec"));
    const Answer lenient = Apply(bench, site, "prestage", {{"failures_max", "1"}});
    EXPECT_TRUE(lenient.done()) << ::testing::PrintToString(lenient);
    // Room is made: what is missing is copied, and only that.
    site.new_server().End();
    site.new_server().options().users["bert@hr1.example"].quota = 0;
    site.new_server().WriteConfiguration();
    site.new_server().Start();
    const Answer rest = Apply(bench, site, "prestage", {{"failures_max", "0"}});
    EXPECT_TRUE(rest.done()) << ::testing::PrintToString(rest) << Slurp(std::string(kStateFolder) + "/reports/lot-1.txt");
    ExpectSame(site, "bert@hr1.example");
    auto before = site.Connect(site.old_server(), "bert@hr1.example"), after = site.Connect(site.new_server(), "bert@hr1.example");
    EXPECT_EQ(Everything(*after, {"INBOX"}), Everything(*before, {"INBOX"})) << "in their order";
    EXPECT_THAT(rest.value.at("summary").get<std::string>(), HasSubstr("attachments of 2 mailboxes not scanned"));
    EXPECT_THAT(Slurp(std::string(kStateFolder) + "/reports/lot-1.txt"), HasSubstr("2  pi\u00E8ces jointes non analys\u00E9es / attachments not scanned"));
  });
}

// As when an index is lost: Dovecot deals out new numbers under a new UIDVALIDITY.
void LoseNumbers(Dovecot& server, const std::string& user) {
  server.End();
  for (const auto& entry : fs::recursive_directory_iterator(server.home(user) / "Maildir")) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file() && name.starts_with("dovecot")) fs::remove(entry.path());
  }
  server.Start();
}

TEST(MailMove, EitherServerNumberingAnewDoublesNothing) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{"anne@hr1.example", 0}});
    site.Fill("anne@hr1.example", {"INBOX"}, 1, 60);
    site.Fill("anne@hr1.example", {"INBOX"}, 1, 4);
    ASSERT_TRUE(Apply(bench, site, "prestage").changed());
    for (const bool source : {false, true}) {
      Dovecot& server = source ? site.old_server() : site.new_server();
      const uint32_t before = site.Connect(server, "anne@hr1.example")->Open({"INBOX"}).uid_validity;
      // Its seconds are the number.
      std::this_thread::sleep_for(milliseconds(1100));
      LoseNumbers(server, "anne@hr1.example");
      ASSERT_NE(site.Connect(server, "anne@hr1.example")->Open({"INBOX"}).uid_validity, before);
      site.Fill("anne@hr1.example", {"INBOX"}, source ? 70 : 80, source ? 73 : 83);
      const Answer delta = Apply(bench, site, "delta");
      ASSERT_TRUE(delta.changed()) << ::testing::PrintToString(delta);
      ExpectSame(site, "anne@hr1.example");
    }
    // A ledger that is lost is found again by what is in the target.
    fs::remove_all(kStateFolder);
    ASSERT_TRUE(Apply(bench, site, "prestage").changed());
    ExpectSame(site, "anne@hr1.example");
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "verify", site.Params()), "mail.verified"), "holds");
  });
}

TEST(MailMove, HoldsInfectedMessagesInQuarantineWithEvidence) {
  if (!edr::LoneClamd::Installed()) GTEST_SKIP() << "needs Debian's clamav-daemon";
  ON_MAIL_HOST([](PluginBench& bench) {
    edr::LoneClamd clamd;
    ASSERT_TRUE(clamd.Start("AlertExceedsMax yes\n"));
    MoveSite site({{"anne@hr1.example", 0}});
    site.Fill("anne@hr1.example", {"INBOX"}, 1, 10);
    {
      auto anne = site.Connect(site.old_server(), "anne@hr1.example");
      Put(*anne, {"INBOX"}, {"Subject: invoice\r\n\r\n" + edr::Marker() + "\r\n"});
    }
    const json scanned = {{"scanner", clamd.Socket().string()}};
    const Answer applied = Apply(bench, site, "prestage", scanned);
    ASSERT_TRUE(applied.done()) << ::testing::PrintToString(applied);
    EXPECT_EQ(site.New("anne@hr1.example").size(), 9u);
    const fs::path quarantine = fs::path(kStateFolder) / "quarantine";
    EXPECT_EQ(fs::status(quarantine).permissions(), fs::perms::owner_all);
    const json evidence = json::parse(Slurp(quarantine / "evidence.jsonl"));
    EXPECT_THAT(evidence.at("signature").get<std::string>(), HasSubstr("Reprise.Test.Marker"));
    EXPECT_THAT(evidence.dump(), Not(HasSubstr("anne")));
    const fs::path kept = quarantine / (evidence.at("sha256").get<std::string>() + ".eml");
    EXPECT_EQ(sdk::Sha256OfFile(kept), evidence.at("sha256"));
    const Answer proven = bench.Run(VERB_VERIFY, "prestage", site.Params(scanned));
    EXPECT_EQ(MeasureIn(proven, "mail.messages_held", "lot-1"), 1);
    for (const std::string& said : {applied.value.dump(), proven.value.dump(), Slurp(std::string(kStateFolder) + "/reports/lot-1.txt")}) {
      EXPECT_THAT(said, Not(HasSubstr("attachments"))) << "all of them were looked into";
    }
    // Again: held once, one record.
    EXPECT_FALSE(Apply(bench, site, "prestage", scanned).changed());
    EXPECT_EQ(json::parse(Slurp(quarantine / "evidence.jsonl")), evidence);

    // A scanner that is down has not found anything clean.
    clamd.Stop();
    site.Fill("anne@hr1.example", {"INBOX"}, 20, 22);
    EXPECT_EQ(Apply(bench, site, "delta", scanned).code(), "clamd_absent") << "before anything is copied";
    EXPECT_EQ(site.New("anne@hr1.example").size(), 9u);
    ASSERT_TRUE(clamd.Start("AlertExceedsMax yes\n"));
    EXPECT_TRUE(Apply(bench, site, "delta", scanned).changed());
    EXPECT_EQ(site.New("anne@hr1.example").size(), 11u);
    // Without one: said, and said of this mailbox from now on, whoever looks later.
    site.Fill("anne@hr1.example", {"INBOX"}, 30, 31);
    for (const json& with : {json{{"scanner", "none"}}, scanned}) {
      const Answer delta = Apply(bench, site, "delta", with);
      ASSERT_TRUE(delta.done()) << ::testing::PrintToString(delta);
      EXPECT_THAT(delta.value.dump(), HasSubstr("attachments of 1 mailbox not scanned"));
      const Answer looked = bench.Run(VERB_VERIFY, "delta", site.Params(with));
      EXPECT_THAT(looked.value.at("claims").dump(), HasSubstr("attachments of 1 mailbox not scanned"));
    }
    EXPECT_EQ(site.New("anne@hr1.example").size(), 12u);
    EXPECT_EQ(bench.Run(VERB_APPLY, "delta", site.Params({{"scanner", "nobody"}})).code(), "bad_params");
  });
}

TEST(MailMove, SaysOfAMailboxThatTheServerDoesNotHaveThatItsLogInIsCutOff) {
  ON_MAIL_HOST([](PluginBench&) {
    MoveSite site({{"anne@hr1.example", 0}});
    EXPECT_EQ(CodeOf([&] { site.Connect(site.old_server(), "nobody@hr1.example"); }), "login_cut");
  });
}

TEST(MailMove, EndsSoonWhenItIsCancelledAndGoesOnLater) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{"anne@hr1.example", 0}, {"bert@hr1.example", 0}});
    site.Fill("anne@hr1.example", {"INBOX"}, 1, 1500);
    site.Fill("bert@hr1.example", {"INBOX"}, 1, 1500);
    // Its time is over in the middle, however fast the machine is.
    site.LimitMessagesPerSecond(300);
    const Answer cut = bench.Run(VERB_APPLY, "prestage", site.Params(), seconds(2));
    EXPECT_FALSE(cut.done());
    site.LimitMessagesPerSecond(0);
    const Answer applied = Apply(bench, site, "prestage");
    ASSERT_TRUE(applied.done()) << ::testing::PrintToString(applied);
    ExpectSame(site, "anne@hr1.example");
    ExpectSame(site, "bert@hr1.example");
  });
}

}  // namespace
}  // namespace reprise::mail
