// How a mailbox is closed before it is cut over, where its server knows no rights: people did it, or nobody delivers to a restored copy.
#include <gmock/gmock.h>
#include <sys/mount.h>

#include "tests/unit/plugins/mail/move_bench.h"

namespace reprise::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kAnne = "anne@hr1.example";

TEST(MailClosing, MailBetweenTheTwoLooksIsNoticedAndTheBoxIsNotCutOver) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{kAnne, 0}});
    site.Fill(kAnne, {"INBOX"}, 1, 40);
    ASSERT_TRUE(bench.Run(VERB_APPLY, "prestage", site.Params(), seconds(60)).done());
    auto running = bench.Start(VERB_APPLY, "cut_over", site.Params({{"closing", "by_gate"}, {"quiet", "8s"}}), seconds(60));
    // Its passes are over in a moment: they find nothing. Then it waits.
    EXPECT_EQ(running.wait_for(seconds(4)), std::future_status::timeout);
    site.Fill(kAnne, {"INBOX"}, 50, 51);
    const Answer noticed = running.get();
    EXPECT_EQ(noticed.code(), "boxes_failed") << ::testing::PrintToString(noticed);
    EXPECT_THAT(noticed.result.message, HasSubstr("still_receiving 1"));
    EXPECT_FALSE(bench.Run(VERB_PROBE, "cut_over", site.Params()).holds());
    EXPECT_THAT(Slurp(std::string(kStateFolder) + "/reports/lot-1.txt"), HasSubstr("mail still comes into the source"));
    // It is closed now: what came last comes along.
    const Answer over = bench.Run(VERB_APPLY, "cut_over", site.Params({{"closing", "by_gate"}, {"quiet", "200ms"}}), seconds(60));
    ASSERT_TRUE(over.changed()) << ::testing::PrintToString(over);
    EXPECT_EQ(site.New(kAnne), site.Old(kAnne));
    EXPECT_EQ(ClaimIn(bench.Run(VERB_VERIFY, "cut_over", site.Params({{"closing", "by_gate"}})), "mail.cut_over"), "holds");
    // The source's rights were not touched: people closed it, and may open it again.
    site.Fill(kAnne, {"INBOX"}, 60, 61);
  });
}

TEST(MailClosing, ARestoredMaildirThatNothingMayWriteToIsCutOverAsItIs) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{kAnne, 0}});
    site.Fill(kAnne, {"INBOX"}, 1, 40);
    site.Fill(kAnne, {"Archives", "Ao\u00FBt 2022"}, 40, 60);
    site.old_server().End();
    const fs::path homes = site.old_server().home(kAnne).parent_path();
    ASSERT_EQ(mount(homes.c_str(), homes.c_str(), nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(mount(nullptr, homes.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr), 0);
    site.Write("old.profile.json", json{{"kind", "maildir"}, {"root", (homes / "{user}" / "Maildir").string()}}.dump());
    ASSERT_TRUE(bench.Run(VERB_APPLY, "prestage", site.Params(), seconds(60)).done());
    // Files have no rights to be taken.
    const Answer by_rights = bench.Run(VERB_APPLY, "cut_over", site.Params({{"closing", "acl"}}), seconds(60));
    EXPECT_THAT(by_rights.result.message, HasSubstr("unsupported 1")) << ::testing::PrintToString(by_rights);
    const Answer over = bench.Run(VERB_APPLY, "cut_over", site.Params({{"closing", "read_only"}}), seconds(60));
    ASSERT_TRUE(over.done()) << ::testing::PrintToString(over);
    EXPECT_EQ(site.New(kAnne), site.Old(kAnne));
    const Answer proven = bench.Run(VERB_VERIFY, "cut_over", site.Params({{"closing", "read_only"}}));
    EXPECT_EQ(ClaimIn(proven, "mail.cut_over"), "holds") << ::testing::PrintToString(proven);
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "verify", site.Params()), "mail.verified"), "holds");
    EXPECT_EQ(umount2(homes.c_str(), MNT_DETACH), 0);
  });
}

}  // namespace
}  // namespace reprise::mail
