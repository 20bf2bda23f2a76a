// What people and servers really have, and no specification would: whole mailboxes moved between two real Dovecots, compared folder by folder.
#include <gmock/gmock.h>
#include <sys/time.h>

#include "plugins/mail/batch_box.h"
#include "plugins/mail/report.h"
#include "tests/unit/plugins/mail/move_bench.h"
#include "tests/unit/plugins/mail/odd_server.h"
#include "tests/unit/plugins/mail/simulated_store.h"

namespace reprise::mail {
namespace {

const std::string kSmall = "Subject: x\r\n\r\ny\r\n";

// A mailbox at two servers, moved without a plugin host.
class TwoServers {
 public:
  TwoServers(Dovecot::Options old_options, Dovecot::Options new_options)
      : old_(site_.Server("old", std::move(old_options))), new_(site_.Server("new", std::move(new_options))) {
    options_.state = site_.scratch.path / "state";
    options_.pause_min = std::chrono::milliseconds(10);
  }

  BoxResult Move() {
    const Stores stores = {[&](const Box&) { return site_.Connect(old_); }, [&](const Box&) { return site_.Connect(new_); }};
    return MoveBox(box_, stores, options_, Watch{});
  }
  VerifyCounts Verified() {
    const auto ledger = Ledger::OpenToRead(LedgerFile(options_.state, box_), site_.scratch.path);
    const auto from = site_.Connect(old_), to = site_.Connect(new_);
    return VerifyBox(*from, *to, &*ledger, {}, Watch{});
  }
  Ledger OpenLedger() { return Ledger::OpenToWrite(LedgerFile(options_.state, box_)); }
  // Of each folder of the source, by its name there, what the target has.
  std::map<FolderPath, FolderPath> Places() const {
    const auto ledger = Ledger::OpenToRead(LedgerFile(options_.state, box_), site_.scratch.path);
    std::map<FolderPath, FolderPath> places;
    for (const FolderRow& folder : ledger->Folders()) places.emplace(folder.source, folder.target);
    return places;
  }
  void ExpectSame() {
    const auto from = site_.Connect(old_), to = site_.Connect(new_);
    for (const auto& [source, target] : Places()) EXPECT_EQ(Everything(*to, target), Everything(*from, source)) << source.back();
    const VerifyCounts counts = Verified();
    EXPECT_TRUE(counts.holds()) << counts.Shown();
    EXPECT_EQ(counts.out_of_order, 0u);
  }
  // A file in the source's inbox, as a delivery would leave it, with its time.
  void Deliver(const std::string& name, const std::string& content, int64_t unix_seconds = 1'600'000'000) {
    const fs::path file = old_.home(kUser) / "Maildir/cur" / name;
    Spit(file, content);
    const timeval times[] = {{unix_seconds, 0}, {unix_seconds, 0}};
    if (utimes(file.c_str(), times) != 0) throw std::runtime_error("no such time");
    const passwd* mail = getpwnam("mail");
    if (chown(file.c_str(), mail->pw_uid, mail->pw_gid) != 0) throw std::runtime_error("no owner");
  }

  MailSite& site() { return site_; }
  Dovecot& old_server() { return old_; }
  Dovecot& new_server() { return new_; }
  BoxOptions& options() { return options_; }

 private:
  MailSite site_;
  Dovecot& old_;
  Dovecot& new_;
  const Box box_ = {2, "Anne", kUser, kUser, "lot-1", "", ""};
  BoxOptions options_;
};

TEST(MailStrange, FoldersOfAllNamesComeOverBetweenAllStylesOfNames) {
  NEEDS_DOVECOT();
  struct Style {
    const char *storage, *separator, *prefix;
  };
  const Style styles[] = {{kMaildir, ".", "INBOX."}, {kSdbox, "/", ""}, {kMaildir, "/", ""}};
  const std::vector<FolderPath> paths = {
      {"a\"b\\c"}, {"A & B"}, {"&-"}, {"&AOk-"}, {"R\u00E9union"}, {"\u65E5\u672C\u8A9E", "\U0001F4EC"}, {" leading"}, {"Mixed Case"}, {"mixed case"},
      {"100% *{x}"}, {"(a) [b]"}, {"Archives", "2022", "Ao\u00FBt"}, {"INBOX", "child", "grandchild"}, {"Inboxes"},
      {std::string(120, 'n')}, {"NIL"}, {"\u202Eright to left"}, {"1"}, {"a;b,c:d|e"}};
  for (size_t i = 0; i < std::size(styles); ++i) {
    const Style &from = styles[i], &to = styles[(i + 1) % std::size(styles)];
    SCOPED_TRACE(std::string(from.storage) + from.separator + from.prefix + " to " + to.storage + to.separator + to.prefix);
    TwoServers two({.storage = from.storage, .separator = from.separator, .fields = {{"PREFIX", from.prefix}}},
                   {.storage = to.storage, .separator = to.separator, .fields = {{"PREFIX", to.prefix}}});
    size_t made = 0;
    {
      auto anne = two.site().Connect(two.old_server());
      std::vector<FolderPath> all = paths;
      all.push_back({from.separator[0] == '.' ? "1/2 journ\u00E9e" : "Dr. X"});
      for (const FolderPath& path : all) {
        // Below a prefix that is the inbox, what is in it is the user's own.
        if (from.prefix[0] != '\0' && path[0] == "INBOX") continue;
        anne->Create({path});
        Put(*anne, path, {"Subject: in " + path.back() + "\r\n\r\nx\r\n"});
        ++made;
      }
      Put(*anne, {"INBOX"}, {kSmall});
    }
    const BoxResult result = two.Move();
    EXPECT_EQ(result.state, BoxState::kPrestaged) << result.why << " " << result.said;
    two.ExpectSame();
    EXPECT_EQ(two.Verified().messages, made + 1);
    EXPECT_EQ(two.Move().moved.changes(), 0u) << "a second look finds nothing to do";
  }
}

TEST(MailStrange, FoldersWithoutMessagesParentsThatAreNoneAndSubscriptionsComeOver) {
  NEEDS_DOVECOT();
  TwoServers two({.separator = "."}, {.storage = kSdbox});
  {
    auto anne = two.site().Connect(two.old_server());
    anne->Create({{"Seul", "dessous"}});  // "Seul" is only a name on the way.
    anne->Create({{"Vide"}});
    Put(*anne, {"Seul", "dessous"}, {kSmall});
    // Not subscribed, and subscribed without being there.
    Spit(two.old_server().home(kUser) / "Maildir/subscriptions", "V\t2\n\nSeul\tdessous\nDisparu\n");
  }
  EXPECT_EQ(two.Move().state, BoxState::kPrestaged);
  two.ExpectSame();
  auto to = two.site().Connect(two.new_server());
  for (const Folder& folder : to->Folders()) {
    if (folder.path == FolderPath{"Seul"}) {
      EXPECT_FALSE(folder.selectable);
    }
    EXPECT_EQ(folder.subscribed, folder.path == (FolderPath{"Seul", "dessous"}) || folder.path == FolderPath{"Sent"} || folder.path == FolderPath{"Drafts"})
        << folder.path.back();
  }
  EXPECT_THAT(PathsOf(to->Folders()), ::testing::IsSupersetOf({FolderPath{"Vide"}, FolderPath{"Seul", "dessous"}}));
}

TEST(MailStrange, AFolderThatTheTargetCannotHaveIsNamedAndKeepsNoOtherBack) {
  NEEDS_DOVECOT();
  // Below each other they are folders of the disk; at the target all levels are one name of a file.
  TwoServers two({.storage = kSdbox}, {.separator = "."});
  const FolderPath deep = {std::string(90, 'a'), std::string(90, 'b'), std::string(90, 'c')};
  {
    auto anne = two.site().Connect(two.old_server());
    for (const FolderPath& path : {deep, FolderPath{"Zz"}}) {
      anne->Create({path});
      Put(*anne, path, {kSmall});
    }
  }
  const BoxResult result = two.Move();
  EXPECT_EQ(result.state, BoxState::kFailed);
  EXPECT_EQ(result.why, "folder_refused");
  EXPECT_EQ(two.site().Connect(two.new_server())->Open({"Zz"}).messages, 1u);
  const Ledger ledger = two.OpenLedger();
  const BoxReport report = ReportOf(result, &ledger);
  ASSERT_EQ(report.troubles.size(), 1u);
  EXPECT_EQ(report.troubles[0].folder, deep);
  EXPECT_EQ(report.troubles[0].why, "folder_refused");
}

TEST(MailStrange, MessagesThatAreHardlyMessagesComeOverAsTheyAre) {
  NEEDS_DOVECOT();
  TwoServers two({}, {.storage = kSdbox});
  two.site().Connect(two.old_server())->Open({"INBOX"});  // Makes its folders.
  two.Deliver("1000.1.x:2,S", "Subject: bare line ends\n\nline\nline\n");
  two.Deliver("1000.2.x:2,", "no header at all, only words\r\nand more\r\n");
  two.Deliver("1000.3.x:2,", "Subject: no body, no empty line");
  two.Deliver("1000.4.x:2,", "Subject: an empty body\r\n\r\n");
  two.Deliver("1000.5.x:2,", "\r\n");
  two.Deliver("1000.6.x:2,", "\n");
  two.Deliver("1000.7.x:2,", "Subject: mixed\n\r\nline\r\nline\nlone\rcr\r\n");
  two.Deliver("1000.8.x:2,", "Subject: one long line\r\n\r\n" + std::string(3 << 20, 'x') + "\r\n");
  two.Deliver("1000.9.x:2,", "Subject: " + std::string(100'000, 'h') + "\r\n" + std::string(5000, ' ') + "\r\nbody\r\n");
  two.Deliver("1001.1.x:2,", "Message-ID: <same@x>\r\n\r\none\r\n");
  two.Deliver("1001.2.x:2,", "Message-ID: <same@x>\r\n\r\ntwo\r\n");
  two.Deliver("1001.3.x:2,", "Message-ID: <same@x>\r\n\r\ntwo\r\n");
  two.Deliver("1001.4.x:2,", "Subject: literal {300+}\r\n\r\n5 OK [APPENDUID 1 2] x\r\n* BYE\r\n)\r\n.\r\n");
  std::string bytes = "Subject: bytes\r\n\r\n";
  for (int i = 1; i < 256; ++i) bytes += i == '\n' || i == '\r' ? 'n' : static_cast<char>(i);
  two.Deliver("1001.5.x:2,FRST", bytes + "\r\n");
  const BoxResult result = two.Move();
  EXPECT_EQ(result.state, BoxState::kPrestaged) << result.why << " " << result.said;
  two.ExpectSame();
  EXPECT_EQ(two.Verified().messages, 14u);

  // Dovecot takes no message of no bytes: it is named. It leaves out a CR before a line's end: verify finds that. A zero byte it tells as
  // another one already at the source.
  two.Deliver("1002.1.x:2,", "");
  const BoxResult empty = two.Move();
  EXPECT_EQ(empty.state, BoxState::kFailed);
  EXPECT_EQ(empty.why, "refused");
  EXPECT_EQ(two.Verified().failed, 1u);
  two.Deliver("1002.2.x:2,", std::string("Subject: zero\r\n\r\na\0b\r\n", 22));
  two.Deliver("1002.3.x:2,", "Subject: two\r\n\r\nreturns\r\r\n");
  const BoxResult zero = two.Move();
  EXPECT_EQ(zero.moved.copied, 2u);
  const VerifyCounts counts = two.Verified();
  EXPECT_EQ(counts.differ, 1u) << counts.Shown();
  EXPECT_EQ(two.Move().moved.copied, 0u) << "it is not copied again and again";
}

// Dovecot keeps dates of the 32 bits of its own; of others it says something else at each look, and gives a new message its present.
TEST(MailStrange, DatesThatTheTargetDoesNotKeepAreNamedAndNoMessageIsDoubledForThem) {
  NEEDS_DOVECOT();
  TwoServers two({}, {.storage = kSdbox});
  two.site().Connect(two.old_server())->Open({"INBOX"});
  int number = 0;
  for (const int64_t time : {-2'147'483'648LL, -150'000'000LL, -1LL, 2'147'483'647LL, 2'147'483'648LL, 4'102'444'800LL, 4'294'967'295LL}) {
    two.Deliver(std::to_string(2000 + number++) + ".1.x:2,", "Subject: " + std::to_string(time) + "\r\n\r\nx\r\n", time);
  }
  for (const int64_t time : {0LL, 1LL, 951'782'400LL, 2'147'400'000LL}) {
    two.Deliver(std::to_string(3000 + number++) + ".1.x:2,", "Subject: " + std::to_string(time) + "\r\n\r\nx\r\n", time);
  }
  EXPECT_EQ(two.Move().state, BoxState::kPrestaged);
  EXPECT_EQ(two.Move().moved.changes(), 0u);
  VerifyCounts counts = two.Verified();
  EXPECT_GE(counts.dates, 5u) << counts.Shown();
  EXPECT_GE(counts.same, 4u);
  EXPECT_EQ(counts.dates + counts.same, 11u);
  // As when the answer to the append was never seen.
  {
    Ledger ledger = two.OpenLedger();
    ledger.Commit([&] {
      for (const FolderRow& folder : ledger.Folders()) {
        for (MessageRow row : ledger.Rows(folder.id, 1, UINT32_MAX)) {
          row.state = MessageState::kIntended, row.target_uid = 0, row.own = false;
          ledger.Put(folder.id, row);
        }
        FolderRow unseen = folder;
        unseen.accounted = unseen.checked = 1;
        ledger.UpdateFolder(unseen);
      }
    });
  }
  two.Move();
  EXPECT_EQ(two.site().Connect(two.new_server())->Open({"INBOX"}).messages, 11u) << "not doubled";
  EXPECT_EQ(two.Move().moved.changes(), 0u);
}

TEST(MailStrange, MoreKeywordsThanAMaildirHasLettersForComeOver) {
  NEEDS_DOVECOT();
  TwoServers two({}, {});
  {
    auto anne = two.site().Connect(two.old_server());
    for (int i = 0; i < 40; ++i) {
      const std::string number = std::to_string(i);
      Put(*anne, {"INBOX"}, {"Subject: " + number + "\r\n\r\nx\r\n", {"$Label" + number, "\\Seen", "keyword-" + number}});
    }
    Put(*anne, {"INBOX"}, {kSmall, {"$Forwarded", "$MDNSent", "NonJunk", "k!#&'+,-./:;<=>?@^_`|~"}});
    Put(*anne, {"INBOX"}, {kSmall, {std::string(40, 'k')}});
  }
  const BoxResult result = two.Move();
  EXPECT_EQ(result.state, BoxState::kPrestaged) << result.why << " " << result.said;
  two.ExpectSame();
  // \Recent is nobody's: a target that was never opened has all of them so.
  EXPECT_EQ(two.Move().moved.changes(), 0u);
}

TEST(MailStrange, AKeywordThatTheTargetCannotHaveIsNamedAndKeepsNoOtherMessageBack) {
  NEEDS_DOVECOT();
  TwoServers two({.more = "mail_max_keyword_length = 200\n"}, {});
  {
    auto anne = two.site().Connect(two.old_server());
    for (const char* keyword : {"short", "long", "short"}) {
      Put(*anne, {"INBOX"}, {kSmall, {*keyword == 'l' ? std::string(150, 'k') : keyword}});
    }
  }
  const BoxResult result = two.Move();
  EXPECT_EQ(result.state, BoxState::kFailed);
  EXPECT_EQ(result.why, "bad_name");
  EXPECT_EQ(two.site().Connect(two.new_server())->Open({"INBOX"}).messages, 2u);
}

TEST(MailStrange, FlagsThatTheTargetDoesNotPermitAreNamedAndKeepNoMessageBack) {
  NEEDS_DOVECOT();
  TwoServers two({}, {});
  {
    auto anne = two.site().Connect(two.old_server());
    for (int i = 0; i < 5; ++i) Put(*anne, {"INBOX"}, {"Subject: " + std::to_string(i) + "\r\n\r\nx\r\n", {"\\Seen", "keyword"}});
    auto there = two.site().Connect(two.new_server());
    FolderRights rights = there->Rights({"INBOX"})[0];
    std::erase_if(rights.rights, [](char c) { return c == 'w' || c == 's'; });
    there->SetRights({"INBOX"}, rights);
  }
  two.Move();
  EXPECT_EQ(two.Verified().missing + two.Verified().fresh, 0u);
  EXPECT_EQ(two.Verified().flags, 5u) << two.Verified().Shown();
  // A change of flags is refused: what comes after it is copied all the same.
  {
    auto anne = two.site().Connect(two.old_server());
    anne->Open({"INBOX"});
    anne->SetFlags(1, {"\\Flagged"});
    for (int i = 5; i < 9; ++i) Put(*anne, {"INBOX"}, {"Subject: " + std::to_string(i) + "\r\n\r\nx\r\n"});
  }
  const BoxResult result = two.Move();
  EXPECT_EQ(two.Verified().missing + two.Verified().fresh, 0u) << two.Verified().Shown();
  EXPECT_EQ(result.state, BoxState::kFailed);
  EXPECT_EQ(result.why, "flags_refused");
}

TEST(MailStrange, AMessageOfThreeGigabytesByItsListingIsTakenForWhatItIs) {
  Scratch scratch;
  const ThrowawayCa ca(scratch.path / "ca");
  OddServer odd(scratch.path / "odd", ca, [](OddServer::Talk& talk, const OddServer::Command& command) {
    if (command.rest.find("RFC822.SIZE") == std::string::npos) return false;
    const bool listed = command.rest.find("FLAGS") != std::string::npos;
    return talk.Say("* 1 FETCH (UID 1 " + std::string(listed ? "FLAGS () INTERNALDATE \"09-Aug-2022 01:06:40 +0200\" " : "") + "RFC822.SIZE 3221225472)\r\n" +
                    command.tag + " OK done\r\n"), true;
  });
  odd.Add({"", "\"09-Aug-2022 01:06:40 +0200\"", kSmall});
  sdk::FakeCall call(json{{"verb", "apply"}, {"work_dir", scratch.path.string()}});
  const sdk::Context context(call.call(), call.request());
  Spit(scratch.path / "password", "sesame\n");
  fs::permissions(scratch.path / "password", fs::perms(0600));
  const Profile profile = ParseProfile({{"host", "127.0.0.1"}, {"port", odd.port()}, {"ca_file", ca.file.string()}, {"auth", "plain"},
                                        {"password_file", (scratch.path / "password").string()}, {"silence_max", "2s"}});
  Credentials credentials(context, profile);
  Flow flow;
  SimServer target;
  target.folders[{"INBOX"}];
  Fate fate;
  Ledger ledger = Ledger::OpenToWrite(scratch.path / "box.ledger");
  MoveOptions options;
  options.spool = scratch.path;
  const Watch watch;
  ImapStore from(context, profile, kUser, credentials, flow);
  SimStore to(target, fate);
  EXPECT_EQ(Migration(from, to, ledger, options, watch).Pass().copied, 1u);
  EXPECT_EQ(target.folders[{"INBOX"}].messages.begin()->second.content, kSmall);
}

}  // namespace
}  // namespace reprise::mail
