// Copying one mailbox through these stores, and mbsync's copy of the same one beside it: another program finds the same, and how long
// each took stands in the output. What is asserted of speed is the bench's business.
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>

#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/mail/mailboxes.h"

namespace reprise::mail {
namespace {

constexpr int kMessages = 600;

std::string Account(const MailSite& site, const char* name, const Dovecot& server) {
  const std::string file = (site.scratch.path / ("password-" + std::to_string(server.port()))).string();
  return std::string("IMAPAccount ") + name + "\nHost localhost\nPort " + std::to_string(server.port()) + "\nUser " +
         server.master_login(kUser) + "\nPassCmd \"cat " + file + "\"\nAuthMechs PLAIN\nSSLType IMAPS\nCertificateFile " +
         site.ca.file.string() + "\n\nIMAPStore " + name + "\nAccount " + name + "\n\n";
}

bool RunMbsync(const fs::path& config, const fs::path& output) {
  char* argv[] = {const_cast<char*>("mbsync"), const_cast<char*>("-q"), const_cast<char*>("-c"), const_cast<char*>(config.c_str()),
                  const_cast<char*>("-a"), nullptr};
  char* envp[] = {const_cast<char*>("PATH=/usr/bin:/bin"), const_cast<char*>("HOME=/root"), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {1, 2}) posix_spawn_file_actions_addopen(&actions, fd, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  pid_t pid = -1;
  const bool started = posix_spawnp(&pid, "mbsync", &actions, nullptr, argv, envp) == 0;
  posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  return started && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void CopyFolder(Source& from, Target& to, const FolderPath& path) {
  to.Create({path});
  from.Open(path);
  std::vector<Listed> window;
  const auto copy = [&] {
    std::map<uint32_t, std::string> bodies;
    std::vector<uint32_t> uids;
    for (const Listed& one : window) uids.push_back(one.uid);
    from.ReadAll(uids, [&](uint32_t uid, std::string_view piece) { bodies[uid] += piece; });
    std::vector<Outgoing> messages;
    for (const Listed& one : window) messages.push_back(ToSend({bodies[one.uid], one.flags, one.date}));
    for (const AppendResult& result : to.AppendAll(path, messages)) EXPECT_FALSE(result.refused);
    window.clear();
  };
  for (const Listed& one : ListAll(from)) {
    window.push_back(one);
    if (window.size() == 100) copy();
  }
  copy();
}

// What Everything says of a copy of mbsync's: it puts a line of its own into each header, to find it again.
std::vector<std::string> WithoutItsMark(Source& store, const FolderPath& path) {
  store.Open(path);
  std::vector<std::string> all;
  for (const Listed& one : ListAll(store)) {
    std::string body = ReadAll(store, one.uid), flags;
    const size_t mark = body.find("X-TUID: ");
    if (mark != std::string::npos) body.erase(mark, body.find('\n', mark) + 1 - mark);
    for (const std::string& flag : one.flags) flags += " " + flag;
    all.push_back(std::to_string(body.size()) + " " + std::to_string(one.date.unix_seconds) + flags + " " + sdk::Sha256OfText(body));
  }
  return all;
}

TEST(MailCopy, IsWhatMbsyncCopiesToo) {
  NEEDS_DOVECOT();
  if (access("/usr/bin/mbsync", X_OK) != 0) GTEST_SKIP() << "needs Debian's isync";
  MailSite site;
  Dovecot& old = site.Server("old");
  Dovecot& ours = site.Server("ours", {.storage = kSdbox});
  Dovecot& theirs = site.Server("theirs", {.storage = kSdbox});
  {
    auto store = site.Connect(old);
    store->Create({{"Archives", "Ao\u00FBt"}});
    std::vector<Outgoing> many;
    for (int i = 0; i < kMessages; ++i) {
      many.push_back(ToSend({"From: a@hr1.example\r\nSubject: " + std::to_string(i) + "\r\nMessage-ID: <" + std::to_string(i) + "@hr1>\r\n\r\n" +
                                 std::string(2000 + static_cast<size_t>(i), 'y') + "\r\n",
                             i % 3 ? std::vector<std::string>{"\\Seen"} : std::vector<std::string>{"\\Flagged"}, {1'600'000'000 + i, 0}}));
    }
    store->AppendAll({"INBOX"}, many);
    many.resize(50);
    store->AppendAll({"Archives", "Ao\u00FBt"}, many);
  }
  site.ProfileJson(old), site.ProfileJson(theirs);  // Writes the files of passwords.
  fs::create_directories(site.scratch.path / "sync");
  const fs::path config = site.scratch.path / "mbsyncrc";
  Spit(config, Account(site, "old", old) + Account(site, "new", theirs) +
                            "Channel all\nFar :old:\nNear :new:\nPatterns *\nCreate Near\nSync PullNew\nExpunge None\nCopyArrivalDate yes\nSyncState " +
                            (site.scratch.path / "sync").string() + "/\n");
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(RunMbsync(config, site.scratch.path / "mbsync.log")) << Slurp(site.scratch.path / "mbsync.log");
  const auto middle = std::chrono::steady_clock::now();
  {
    auto from = site.Connect(old), to = site.Connect(ours);
    for (const Folder& folder : from->Folders()) {
      if (folder.selectable) CopyFolder(*from, *to, folder.path);
    }
  }
  const std::chrono::duration<double> mbsync = middle - start, here = std::chrono::steady_clock::now() - middle;
  std::printf("%d messages: mbsync %.2f s, these stores %.2f s: %.2f x\n", kMessages + 50, mbsync.count(), here.count(), mbsync / here);

  auto source = site.Connect(old), one = site.Connect(ours), other = site.Connect(theirs);
  for (const FolderPath& path : {FolderPath{"INBOX"}, FolderPath{"Archives", "Ao\u00FBt"}}) {
    const auto expected = Everything(*source, path);
    EXPECT_EQ(expected.size(), path.size() == 1 ? static_cast<size_t>(kMessages) : 50u);
    EXPECT_TRUE(Everything(*one, path) == expected);
    EXPECT_TRUE(WithoutItsMark(*other, path) == expected);
  }
}

}  // namespace
}  // namespace reprise::mail
