// What is read of names, dates, headers, lists and profiles: decisions without a server.
#include <gmock/gmock.h>

#include "plugins/mail/imap_date.h"
#include "plugins/mail/imap_errors.h"
#include "plugins/mail/maildir_names.h"
#include "plugins/mail/maildir_text.h"
#include "plugins/mail/mbox_index.h"
#include "plugins/mail/profile.h"
#include "plugins/mail/tls_flow.h"
#include "plugins/mail/utf7.h"
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::mail {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string CodeOf(const std::function<void()>& body) {
  try {
    body();
  } catch (const sdk::Error& error) {
    return error.code();
  }
  return "";
}

TEST(MailNames, AreWrittenInModifiedUtf7AndReadBack) {
  // RFC 3501, 5.1.3, and some that people have.
  const std::pair<const char*, const char*> pairs[] = {
      {"~peter/mail/\u53F0\u5317/\u65E5\u672C\u8A9E", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
      {"R\u00E9union", "R&AOk-union"},
      {"A & B", "A &- B"},
      {"&", "&-"},
      {"\U0001F4EC", "&2D3c7A-"},
      {"\u00E9\u00E0\u00FC&", "&AOkA4AD8-&-"},
      {"", ""},
      {"tab\there", "tab&AAk-here"},
  };
  for (const auto& [utf8, wire] : pairs) {
    EXPECT_EQ(ToModifiedUtf7(utf8), wire);
    EXPECT_EQ(FromModifiedUtf7(wire), utf8);
  }
  // Of servers that write what they like.
  for (const char* odd : {"R\u00E9union", "A & B", "&Q-", "&2D0-", "&AOk", "&AOl-"}) EXPECT_EQ(FromModifiedUtf7(odd), odd);
  EXPECT_EQ(ToModifiedUtf7("\xE9t\xE9"), "&,,0-t&,,0-") << "no UTF-8";
}

TEST(MailNames, AreLevelsInTheStyleOfEachServer) {
  const NameStyle slash{'/', ""}, dots{'.', "INBOX."}, flat{0, ""};
  EXPECT_EQ(slash.Write({"Archives", "Ao\u00FBt"}), "Archives/Ao&APs-t");
  EXPECT_EQ(dots.Write({"Archives", "2022"}), "INBOX.Archives.2022");
  EXPECT_EQ(flat.Write({"Archives", "2022"}), "Archives-2022");
  EXPECT_EQ(dots.Write({"inbox"}), "INBOX");
  EXPECT_THAT(slash.Read("inbox"), ElementsAre("INBOX"));
  EXPECT_THAT(slash.Read("Inbox/x"), ElementsAre("INBOX", "x"));
  EXPECT_THAT(dots.Read("INBOX.Archives.2022"), ElementsAre("Archives", "2022"));
  EXPECT_THAT(flat.Read("a/b"), ElementsAre("a/b"));
  EXPECT_EQ(slash.Fit({"a/b", "c"}), (FolderPath{"a\u2215b", "c"}));
  EXPECT_EQ(slash.Fit(slash.Fit({"a/b"})), slash.Fit({"a/b"}));
  EXPECT_EQ(slash.Read(slash.Write({"a/b"})), slash.Fit({"a/b"}));
}

TEST(MailDates, AreWrittenInTheirZone) {
  EXPECT_EQ(ToImapDate({0, 0}), "\" 1-Jan-1970 00:00:00 +0000\"");
  EXPECT_EQ(ToImapDate({1'660'000'000, 120}), "\" 9-Aug-2022 01:06:40 +0200\"");
  EXPECT_EQ(ToImapDate({1'660'000'000, -210}), "\" 8-Aug-2022 19:36:40 -0330\"");
  EXPECT_EQ(ToImapDate({1'583'020'799, 765}), "\" 1-Mar-2020 12:44:59 +1245\"");
  EXPECT_EQ(DateOf(2022, 8, 9, 1, 6, 40, 120), (InternalDate{1'660'000'000, 120}));
  EXPECT_EQ(DateOf(1996, 7, 17, 2, 44, 25, -420).unix_seconds, 837'596'665);
}

TEST(MailErrors, MeanTheSameOfEveryServer) {
  EXPECT_EQ(RefusalOf("APPEND", "OVERQUOTA", "Quota exceeded").code(), "over_quota");
  EXPECT_EQ(RefusalOf("APPEND", "overquota", "").code(), "over_quota");
  EXPECT_EQ(RefusalOf("APPEND", "", "Request is throttled. Suggested Backoff Time: 29961 milliseconds").code(), "limited");
  EXPECT_EQ(RefusalOf("APPEND", "", "Request is throttled. Suggested Backoff Time: 29961 milliseconds").suggested_wait(),
            std::chrono::milliseconds(29961));
  EXPECT_EQ(RefusalOf("APPEND", "LIMIT", "Mail size is larger than the maximum").code(), "too_large");
  EXPECT_EQ(RefusalOf("SELECT", "LIMIT", "slow down").code(), "limited");
  EXPECT_EQ(RefusalOf("X", "NEVERHEARD", "what").code(), "refused");
  EXPECT_EQ(RefusalOf("SELECT", "NONEXISTENT", "Mailbox doesn't exist: Paie/Anne Durand").code(), "no_folder");
  const StoreError named = RefusalOf("SELECT", "NONEXISTENT", "Mailbox doesn't exist: Paie/Anne Durand");
  EXPECT_THAT(named.what(), ::testing::Not(HasSubstr("Durand")));
  EXPECT_THAT(named.said(), HasSubstr("Durand"));
  const StoreError bye = FarewellOf("* 3 EXISTS\r\n* BYE [UNAVAILABLE] going down\r\n");
  EXPECT_EQ(bye.code(), "connection_lost");
  EXPECT_EQ(bye.cause(), "unavailable");
  EXPECT_EQ(FarewellOf("* 3 EXISTS\r\n").cause(), "");
  EXPECT_EQ(WhetherAgain("limited"), Again::kLater);
  EXPECT_EQ(WhetherAgain("connection_lost"), Again::kReconnect);
  EXPECT_EQ(WhetherAgain("over_quota"), Again::kNever);
  EXPECT_EQ(WhetherAgain("nothing of ours"), Again::kNever);
}

TEST(MailText, GetsTheSameLineEndsHoweverItComes) {
  const std::string text = "a\nb\r\nc\rd\r\r\n\n\ne";
  const std::string expected = "a\r\nb\r\nc\rd\r\r\n\r\n\r\ne";
  for (size_t size = 1; size <= text.size(); ++size) {
    std::string made;
    const Sink sink = [&](std::string_view piece) { made += piece; };
    CrlfWriter writer(sink);
    CrlfCounter counter;
    for (size_t at = 0; at < text.size(); at += size) {
      writer.Put(std::string_view(text).substr(at, size));
      counter.Put(std::string_view(text).substr(at, size));
    }
    EXPECT_EQ(made, expected) << size;
    EXPECT_EQ(counter.bytes(), expected.size());
  }
}

TEST(MaildirNames, SayFlagsSizesAndOrder) {
  const MaildirName name = ParseMaildirName("1660000000.M1P2.host,S=12,W=13:2,FRSa");
  EXPECT_EQ(name.base, "1660000000.M1P2.host,S=12,W=13");
  EXPECT_THAT(FlagsOf(name.flags, {"urgent"}), ElementsAre("\\Answered", "\\Flagged", "\\Seen", "urgent"));
  EXPECT_THAT(FlagsOf("Pz", {"urgent"}), ElementsAre("$Forwarded"));
  EXPECT_EQ(ParseMaildirName("1.x:2,S,Xy").flags, "S");
  EXPECT_EQ(ParseMaildirName("1.x").flags, "");
  EXPECT_EQ(SizeInName(name.base, 'S'), 12u);
  EXPECT_EQ(SizeInName(name.base, 'W'), 13u);
  EXPECT_FALSE(SizeInName("1.x", 'S'));
  EXPECT_TRUE(CameBefore("999.z", "1000.a"));
  EXPECT_TRUE(CameBefore("1000.a", "1000.b"));
  EXPECT_THAT(LevelsOf(".Archives.Ao&APs-t", '.'), ElementsAre("Archives", "Ao\u00FBt"));
  EXPECT_THAT(LevelsOf(".a\\2fb\\2ec", '.'), ElementsAre("a/b.c"));
  EXPECT_THAT(ParseKeywords("0 $Forwarded\n2 urgent\nx\n99 y\n"), ElementsAre("$Forwarded", "", "urgent"));
  const auto list = ParseUidList("3 V1795659858 N5 Gabc\n1 :1.a\n2 W12 S11 :2.b,S=11\nrubbish\n4 :3.c:2,S\n");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->validity, 1795659858u);
  EXPECT_EQ(list->next, 5u);
  EXPECT_THAT(list->uids, ElementsAre(std::pair("1.a", 1u), std::pair("2.b,S=11", 2u), std::pair("3.c", 4u)));
  EXPECT_EQ(ParseUidList("1 77 9\n3 1.a\n8 2.b\n")->next, 9u);
  for (const char* none : {"", "hello", "3 N5\n", "2 7 8\n"}) EXPECT_FALSE(ParseUidList(none)) << none;
  EXPECT_THAT(ParseSubscriptions("Sent\nA.b\n", '.'), ElementsAre(FolderPath{"Sent"}, FolderPath{"A", "b"}));
  EXPECT_THAT(ParseSubscriptions("V\t2\n\nSent\nA\tb\n", '.'), ElementsAre(FolderPath{"Sent"}, FolderPath{"A", "b"}));
}

TEST(MboxLines, AreFromLinesOnlyWithADate) {
  setenv("TZ", "UTC", 1);
  EXPECT_EQ(ParseFromLine("From a@b Mon Aug  8 23:06:40 2022"), (InternalDate{1'660'000'000, 0}));
  EXPECT_EQ(ParseFromLine("From a@b  Tue Aug  9 01:06:40 2022 +0200"), (InternalDate{1'660'000'000, 120}));
  EXPECT_EQ(ParseFromLine("From a@b Tue Aug  9 01:06:40 +0200 2022"), (InternalDate{1'660'000'000, 120}));
  EXPECT_EQ(ParseFromLine("From \"a b\"@c Mon Aug 08 23:06 2022\r\n")->unix_seconds, 1'660'000'000 - 40);
  EXPECT_EQ(ParseFromLine("From - Mon Aug  8 23:06:40 2022")->unix_seconds, 1'660'000'000) << "Thunderbird's";
  for (const char* none : {"From here on, all is well", "from a@b Mon Aug  8 23:06:40 2022", ">From a@b Mon Aug  8 23:06:40 2022",
                           "From a@b Mon Aug 48 23:06:40 2022", "From a@b Mon Aug  8 2022", "From: a@b", "From Aug"}) {
    EXPECT_FALSE(ParseFromLine(none)) << none;
  }
  EXPECT_TRUE(IsServersOwn("X-Status: AF"));
  EXPECT_TRUE(IsServersOwn("status: RO"));
  EXPECT_FALSE(IsServersOwn("Status-Of-Things: RO"));
}

TEST(MailFlow, LetsNoMoreThanItsRatePass) {
  using std::chrono::milliseconds;
  Flow flow(1000);
  const Flow::Clock::time_point start{std::chrono::hours(1)};
  EXPECT_LE(flow.Take(1000, start), start);
  EXPECT_GE(flow.Take(1000, start), start + milliseconds(800));
  EXPECT_GE(flow.Take(1000, start), start + milliseconds(1800));
  EXPECT_LE(flow.Take(1, start + std::chrono::hours(1)), start + std::chrono::hours(1)) << "what was not used is lost";
  EXPECT_GE(flow.Take(1000, start + std::chrono::hours(1)), start + std::chrono::hours(1) - milliseconds(100));
  EXPECT_EQ(Flow().Take(1 << 30, start), start);
}

sdk::Json GoodProfile() {
  return {{"host", "mail.hr1.example"}, {"auth", "plain"}, {"login", "{user}*mover"}, {"password_file", "/etc/reprise/mail/p"}};
}

TEST(MailProfile, IsReadWholeOrRefusedByItsKey) {
  sdk::Json json = GoodProfile();
  json["limits"] = {{"connections", 3}, {"bytes_per_second", 1000000}};
  json["folders"] = {{"\\Sent", "Sent Items"}, {"\\Junk", {"Divers", "Junk"}}};
  const Profile profile = ParseProfile(json);
  EXPECT_EQ(profile.endpoint.port, 993);
  EXPECT_EQ(profile.limits.connections, 3);
  EXPECT_THAT(profile.folders.at("\\Junk"), ElementsAre("Divers", "Junk"));
  const std::pair<const char*, sdk::Json> wrong[] = {
      {"host", ""},          {"port", 0},           {"port", "993"},           {"auth", "cram-md5"}, {"password_file", "relative"},
      {"passwort_file", "/x"}, {"token_file", "/x"},  {"token_command", {"/x"}}, {"limits", {{"conections", 1}}}, {"folders", {{"Sent", "x"}}},
      {"silence_max", "soon"}, {"kind", "pop3"},      {"auth", "xoauth2"},       {"host", 5}};
  for (const auto& [key, value] : wrong) {
    sdk::Json bad = GoodProfile();
    bad[key] = value;
    EXPECT_EQ(CodeOf([&] { ParseProfile(bad); }), "bad_profile") << key << value;
  }
  EXPECT_EQ(CodeOf([&] { ParseProfile({{"kind", "maildir"}, {"root", "/srv/mail"}}); }), "bad_profile") << "all users in one folder";
  EXPECT_EQ(ParseProfile({{"kind", "mbox"}, {"root", "/srv/mail/{local}"}}).kind, StoreKind::kMbox);
  // What is delivered.
  for (const char* name : {"dovecot", "microsoft365"}) {
    const auto text = Slurp(SourceFolder() / "plugins/mail/profiles" / (name + std::string(".json")));
    EXPECT_NO_THROW(ParseProfile(sdk::Json::parse(text))) << name;
  }
}

TEST(MailProfile, PutsUsersIntoNamesAndNeverOutOfTheirFolder) {
  EXPECT_EQ(Expand("/srv/{domain}/{local}/Maildir", "anne@hr1.example"), "/srv/hr1.example/anne/Maildir");
  EXPECT_EQ(Expand("{user}*mover", "anne@hr1.example"), "anne@hr1.example*mover");
  EXPECT_EQ(Expand("{user}", "{local}@x"), "{local}@x") << "a user's name is no pattern";
  for (const char* bad : {"", "../root", "a/b", "a\nb", ".", ".."}) EXPECT_EQ(CodeOf([&] { Expand("/srv/{user}", bad); }), "bad_user") << bad;
}

}  // namespace
}  // namespace reprise::mail
