// Maildir and mbox as sources: what is read is what Dovecot shows of the same files, and no file is changed.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <utime.h>

#include "plugins/mail/maildir.h"
#include "plugins/mail/mbox.h"
#include "plugins/mail/profile_store.h"
#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/mail/mailboxes.h"

namespace reprise::mail {
namespace {

// Everything of a tree that writing or touching would change.
std::map<std::string, std::string> StateOf(const fs::path& root) {
  std::map<std::string, std::string> state;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    struct stat found {};
    lstat(entry.path().c_str(), &found);
    std::string text = std::to_string(found.st_mtim.tv_sec) + "." + std::to_string(found.st_mtim.tv_nsec) + " " + std::to_string(found.st_mode);
    // Folders must be listed, which no flag hides.
    if (!entry.is_directory()) text += " " + std::to_string(found.st_atim.tv_sec) + "." + std::to_string(found.st_atim.tv_nsec);
    state[entry.path()] = text;
  }
  return state;
}

void SetTimes(const fs::path& file, time_t when) {
  const utimbuf times{when, when};
  utime(file.c_str(), &times);
}

const std::vector<FolderPath> kFolders = {{"INBOX"}, {"R\u00E9union & co"}, {"Archives", "2022", "Ao\u00FBt"}, {"M\u2024 x"}, {"Vide"}};

// A user's mailbox as a server leaves it, written by its IMAP.
void Fill(ImapStore& store) {
  std::string binary = "Subject: octets\r\n\r\n";
  for (int i = 1; i < 3000; ++i) binary += static_cast<char>(i % 255 + 1);
  binary += "\r\n";
  for (const FolderPath& path : kFolders) store.Create({.path = path, .subscribed = true});
  for (size_t folder = 0; folder + 1 < kFolders.size(); ++folder) {
    for (int i = 0; i < 7; ++i) {
      Put(store, kFolders[folder], {"From: x@y\r\nSubject: " + std::to_string(folder) + "." + std::to_string(i) + "\r\n\r\nFrom here\r\n.\r\n\r\n",
                                    i % 2 ? std::vector<std::string>{"\\Seen", "\\Flagged"} : std::vector<std::string>{"$Forwarded", "\\Answered", "urgent"},
                                    {1'500'000'000 + i * 1000, 0}});
    }
    Put(store, kFolders[folder], {binary, {"\\Deleted", "\\Draft"}, {1'400'000'000, 0}});
  }
  // UIDs with holes.
  store.Open({"INBOX"});
  store.Remove(2);
  store.Remove(5);
}

void ExpectTheSame(ImapStore& shown, Source& read) {
  // Dovecot shows folders that are not there too: those between others, and those that it would make.
  const std::vector<FolderPath> here = PathsOf(read.Folders());
  for (const Folder& folder : shown.Folders()) {
    const bool made_up = !folder.selectable || !folder.special_use.empty();
    EXPECT_TRUE(made_up || std::find(here.begin(), here.end(), folder.path) != here.end()) << folder.path.back();
  }
  for (const Folder& folder : read.Folders()) {
    const FolderState there = shown.Open(folder.path), now = read.Open(folder.path);
    EXPECT_EQ(now.messages, there.messages);
    EXPECT_EQ(now.uid_validity, there.uid_validity) << folder.path.back();
    EXPECT_EQ(now.uid_next, there.uid_next) << folder.path.back();
    EXPECT_EQ(Everything(read, folder.path, true), Everything(shown, folder.path, true)) << folder.path.back();
  }
}

TEST(MailMaildir, IsReadAsDovecotShowsItInBothLayouts) {
  NEEDS_DOVECOT();
  MailSite site;
  for (const auto& [layout, separator] : {std::pair("maildir:~/Maildir", "."), std::pair("maildir:~/Maildir:LAYOUT=fs", "/")}) {
    Dovecot& server = site.Server(std::string("s") + separator[0], {.storage = layout, .separator = separator});
    auto shown = site.Connect(server);
    Fill(*shown);
    const fs::path root = server.home(kUser) / "Maildir";
    Maildir read(site.context, root);
    ExpectTheSame(*shown, read);
    for (const Folder& folder : read.Folders()) {
      EXPECT_TRUE(folder.subscribed) << folder.path.back();
    }
    shown.reset();
    server.End();
    const auto before = StateOf(root);
    Maildir again(site.context, root);
    for (const Folder& folder : again.Folders()) Everything(again, folder.path);
    EXPECT_EQ(StateOf(root), before);
  }
}

TEST(MailMaildir, NumbersMessagesWhereNoServerDidAndNoticesChanges) {
  MailSite site;
  const fs::path root = site.scratch.path / "Maildir";
  for (const char* part : {"cur", "new", "tmp"}) fs::create_directories(root / part);
  const auto add = [&](const std::string& name, const std::string& text, time_t when) {
    Spit(root / name, text);
    SetTimes(root / name, when);
  };
  add("cur/1600000000.b:2,FS", "Subject: b\n\nb\n", 1'600'000'500);
  add("new/900000000.a", "Subject: a\n\nmixed\r\nline\rends", 900'000'000);
  add("cur/1600000001.c", "no header at all", 1'600'000'001);
  add("cur/1600000002.d,S=9,W=9:2,T", "wrong size in its name\n", 5);
  add("tmp/1700000000.x", "half", 1);
  Maildir store(site.context, root);
  const FolderState state = store.Open({"INBOX"});
  EXPECT_EQ(state.messages, 4u);
  EXPECT_EQ(state.uid_next, 5u);
  const auto all = ListAll(store);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(ReadAll(store, 1), "Subject: a\r\n\r\nmixed\r\nline\rends");
  EXPECT_EQ(all[0].date.unix_seconds, 900'000'000);
  EXPECT_THAT(all[1].flags, ElementsAre("\\Flagged", "\\Seen"));
  EXPECT_EQ(all[1].date.unix_seconds, 1'600'000'500);
  EXPECT_EQ(all[2].bytes, 16u);
  EXPECT_EQ(all[3].bytes, 24u);
  for (const Listed& one : all) EXPECT_EQ(ReadAll(store, one.uid).size(), one.bytes);
  EXPECT_EQ(Maildir(site.context, root).Open({"INBOX"}).uid_validity, state.uid_validity) << "the same as long as nothing changes";
  // Flags are no change of the set; the open store finds the file under its new name.
  fs::rename(root / "new/900000000.a", root / "cur/900000000.a:2,S");
  EXPECT_EQ(ReadAll(store, 1).size(), all[0].bytes);
  EXPECT_EQ(Maildir(site.context, root).Open({"INBOX"}).uid_validity, state.uid_validity);
  fs::remove(root / "cur/1600000000.b:2,FS");
  EXPECT_EQ(ReadAll(store, 2), "(gone)");
  EXPECT_EQ(ListAll(store).size(), 3u);
  EXPECT_NE(Maildir(site.context, root).Open({"INBOX"}).uid_validity, state.uid_validity) << "numbers mean others now";
}

TEST(MailMaildir, FollowsNoLinkAndReadsNoCompressedMessage) {
  MailSite site;
  const fs::path root = site.scratch.path / "Maildir";
  for (const char* part : {"cur", "new", "tmp"}) fs::create_directories(root / part);
  Spit(site.scratch.path / "outside", "not for this user");
  fs::create_symlink(site.scratch.path / "outside", root / "cur/1.a:2,");
  Maildir store(site.context, root);
  store.Open({"INBOX"});
  EXPECT_EQ(CodeOf([&] { ReadAll(store, 1); }), "not_a_file");
  fs::remove(root / "cur/1.a:2,");
  Spit(root / "cur/2.b:2,", std::string("\x1f\x8b\x08", 3) + "rest");
  store.Open({"INBOX"});
  EXPECT_EQ(CodeOf([&] { ReadAll(store, 1); }), "compressed");
  EXPECT_EQ(CodeOf([&] { Maildir(site.context, site.scratch.path / "absent"); }), "no_mailbox");
  EXPECT_EQ(CodeOf([&] { store.Open({"Absent"}); }), "no_folder");
}

TEST(MailMbox, IsReadAsDovecotShowsIt) {
  NEEDS_DOVECOT();
  setenv("TZ", "UTC", 1);
  tzset();
  MailSite site;
  Dovecot& server = site.Server("old", {.storage = "mbox:~/mail:INBOX=~/mail/inbox", .more = "mail_privileged_group = mail\nmbox_write_locks = fcntl\n"});
  auto shown = site.Connect(server);
  Fill(*shown);
  shown->Open({"INBOX"});
  ListAll(*shown);
  shown.reset();
  // What a session has not written yet, it writes at its end.
  shown = site.Connect(server);
  Mbox read(site.context, server.home(kUser) / "mail");
  for (const Folder& folder : read.Folders()) {
    EXPECT_EQ(Everything(read, folder.path), Everything(*shown, folder.path)) << folder.path.back();
  }
  EXPECT_THAT(PathsOf(read.Folders()), ::testing::IsSupersetOf(std::vector<FolderPath>(kFolders.begin(), kFolders.end() - 1)));
  shown.reset();
  server.End();
  const auto before = StateOf(server.home(kUser) / "mail");
  Mbox again(site.context, server.home(kUser) / "mail");
  for (const Folder& folder : again.Folders()) Everything(again, folder.path);
  EXPECT_EQ(StateOf(server.home(kUser) / "mail"), before);
}

TEST(MailMbox, FindsWhereMessagesBeginAndEnd) {
  setenv("TZ", "UTC", 1);
  tzset();
  MailSite site;
  const fs::path file = site.scratch.path / "mbox";
  const std::string from = "From a@b Mon Aug  8 23:06:40 2022\n";
  const std::string inner = "Subject: forwarded\nContent-Length: 56\n\nbody\n\n" + from + "not a message of its own\n";
  ASSERT_EQ(inner.size() - std::string("Subject: forwarded\nContent-Length: 56\n\n").size(), 65u);
  std::string counted = inner;
  counted.replace(counted.find("56"), 2, "65");
  Spit(file, from + "Subject: one\nStatus: RO\nX-Status: AF\nX-Keywords: urgent\n\tlater\nX-UID: 7\n\nFrom the start of a line\n>From quoted\n\nend\n\n" +
                          from + "Subject: two\nContent-Length: 99999\n\nwrong length is nobody's\n\n" + from + counted + "\n" +
                          "From c@d Tue Aug  9 01:06:40 2022 +0200\nSubject: last\n\n\n\nno end");
  Mbox store(site.context, file);
  const FolderState state = store.Open({"INBOX"});
  ASSERT_EQ(state.messages, 4u);
  const auto all = ListAll(store);
  EXPECT_EQ(ReadAll(store, 1), "Subject: one\r\n\r\nFrom the start of a line\r\n>From quoted\r\n\r\nend\r\n");
  EXPECT_THAT(all[0].flags, ElementsAre("\\Answered", "\\Flagged", "\\Seen", "later", "urgent"));
  EXPECT_EQ(ReadAll(store, 2), "Subject: two\r\n\r\nwrong length is nobody's\r\n");
  EXPECT_EQ(ReadAll(store, 3), "Subject: forwarded\r\n\r\nbody\r\n\r\nFrom a@b Mon Aug  8 23:06:40 2022\r\nnot a message of its own\r\n");
  EXPECT_EQ(ReadAll(store, 4), "Subject: last\r\n\r\n\r\n\r\nno end");
  EXPECT_EQ(all[3].date, (InternalDate{1'660'000'000, 120}));
  for (const Listed& one : all) EXPECT_EQ(ReadAll(store, one.uid).size(), one.bytes) << one.uid;
  EXPECT_EQ(state.uid_next, 5u) << "only one has a number of a server's";
  const uint32_t validity = state.uid_validity;
  EXPECT_EQ(store.Open({"INBOX"}).uid_validity, validity);
  std::ofstream(file, std::ios::app) << "\n\n" << from << "Subject: new\n\n";
  EXPECT_EQ(CodeOf([&] { ReadAll(store, 1); }), "changed");
  const FolderState grown = store.Open({"INBOX"});
  EXPECT_EQ(grown.messages, 5u);
  EXPECT_NE(grown.uid_validity, validity);
  Spit(file, "Hello\n");
  EXPECT_EQ(CodeOf([&] { store.Open({"INBOX"}); }), "bad_store");
  Spit(file, "");
  EXPECT_EQ(store.Open({"INBOX"}).messages, 0u);
}

TEST(MailProfile, OpensEachKindOfStoreForItsUser) {
  MailSite site;
  for (const char* part : {"cur", "new", "tmp"}) fs::create_directories(site.scratch.path / "maildirs/hr1.example/anne.durand" / part);
  fs::create_directories(site.scratch.path / "boxes");
  Spit(site.scratch.path / "boxes/anne.durand", "");
  const Profile maildir = ParseProfile({{"kind", "maildir"}, {"root", site.scratch.path.string() + "/maildirs/{domain}/{local}"}});
  const Profile mbox = ParseProfile({{"kind", "mbox"}, {"root", site.scratch.path.string() + "/boxes/{local}"}});
  Credentials none(site.context, maildir);
  EXPECT_EQ(OpenSource(site.context, maildir, kUser, none, site.flow)->Folders().size(), 1u);
  EXPECT_EQ(OpenSource(site.context, mbox, kUser, none, site.flow)->Folders().size(), 1u);
  EXPECT_EQ(CodeOf([&] { OpenSource(site.context, maildir, "bob@hr1.example", none, site.flow); }), "no_mailbox");
  EXPECT_EQ(CodeOf([&] { OpenTarget(site.context, mbox, kUser, none, site.flow); }), "bad_profile");
}

}  // namespace
}  // namespace reprise::mail
