// An IMAP mailbox as a store, against real Dovecots: what goes in comes out the same.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include "plugins/sdk/sha256.h"
#include "tests/support/sanitized.h"
#include "tests/unit/plugins/mail/mailboxes.h"

namespace reprise::mail {
namespace {

const std::string kSmall = "From: a@hr1.example\r\nSubject: caf\xC3\xA9\r\n\r\nBonjour\r\n";

TEST(MailImap, KeepsNamesOfFoldersAsPeopleWroteThem) {
  NEEDS_DOVECOT();
  MailSite site;
  for (const auto& [storage, separator] : {std::pair(kMaildir, "."), std::pair(kSdbox, "/")}) {
    Dovecot& server = site.Server(std::string("s") + (separator[0] == '.' ? "dot" : "slash"), {.storage = storage, .separator = separator});
    auto store = site.Connect(server);
    const std::vector<FolderPath> paths = {{"R\u00E9union"},      {"A & B"},  {"&"},           {"\U0001F4EC lettres"}, {"Archives", "2022", "Ao\u00FBt"},
                                           {"\u65E5\u672C\u8A9E"}, {"a\"b\\c"}, {"100% *{x}"}, {"tilde~ \u00E9&-&"}};
    for (const FolderPath& path : paths) store->Create({.path = path, .subscribed = true});
    auto found = PathsOf(store->Folders());
    for (const FolderPath& path : paths) EXPECT_THAT(found, ::testing::Contains(path)) << separator;
    for (const FolderPath& path : paths) {
      EXPECT_GT(store->Open(path).uid_validity, 0u);
      Put(*store, path, {kSmall});
      EXPECT_THAT(Everything(*store, path), ::testing::SizeIs(1));
    }
    // The other's delimiter within a name.
    const FolderPath other = {separator[0] == '.' ? "a/b" : "M. Durand", "x"};
    store->Create({other});
    EXPECT_THAT(PathsOf(store->Folders()), ::testing::Contains(other));
    // Its own cannot be: another character takes its place, and both names lead there.
    const FolderPath own = {separator[0] == '.' ? "M. Durand" : "a/b"};
    store->Create({own});
    EXPECT_NE(store->Fit(own), own);
    EXPECT_THAT(PathsOf(store->Folders()), ::testing::Contains(store->Fit(own)));
    EXPECT_EQ(store->Open(own).uid_validity, store->Open(store->Fit(own)).uid_validity);
    store->Create({own});
    for (const Folder& folder : store->Folders()) {
      if (folder.path == paths[0]) {
        EXPECT_TRUE(folder.subscribed);
      }
      if (folder.path == FolderPath{"Sent"}) {
        EXPECT_THAT(folder.special_use, ElementsAre("\\Sent"));
      }
    }
  }
}

TEST(MailImap, ReadsTheUsersFoldersBelowAPrefixAndNoOtherPeoples) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("old", {.separator = ".", .fields = {{"PREFIX", "INBOX."}},
                                        .more = "namespace public {\n  type = public\n  separator = .\n  prefix = Public.\n"
                                                "  location = maildir:" + (site.scratch.path / "public").string() + "\n  list = yes\n}\n"});
  auto store = site.Connect(server);
  store->Create({{"Projets", "2022"}});
  for (const FolderPath& path : PathsOf(store->Folders())) {
    EXPECT_NE(path[0], "Public");
    EXPECT_TRUE(path.size() == 1 || path[0] == "Projets") << path[0];
  }
  EXPECT_THAT(PathsOf(store->Folders()), ::testing::Contains(FolderPath{"Projets", "2022"}));
  EXPECT_THAT(PathsOf(store->Folders()), ::testing::Contains(FolderPath{"INBOX"}));
  EXPECT_GT(store->Open({"Projets", "2022"}).uid_validity, 0u);
}

TEST(MailImap, KeepsFlagsKeywordsDatesAndEveryByte) {
  NEEDS_DOVECOT();
  MailSite site;
  std::string binary;
  // Dovecot itself makes CRLF of a lone LF, and 0x80 of a zero byte: what a server had, has neither.
  for (int i = 1; i < 70000; ++i) binary += i % 255 + 1 == '\n' ? 'n' : static_cast<char>(i % 255 + 1);
  std::string no_end = "Subject: no line end";
  const std::vector<Message> messages = {
      {kSmall, {"\\Answered", "\\Flagged", "\\Seen"}, {1'660'000'000, 120}},
      {kSmall, {"$Forwarded", "\\Seen", "urgent-2022"}, {1'660'000'001, -210}},
      {kSmall, {"\\Deleted", "\\Draft"}, {0, 0}},
      {"Subject: x\r\n\r\n" + binary, {}, {1'583'020'799, 765}},  // 29 February in its zone.
      {no_end, {}, {951'782'400, 0}},
      {"\r\n", {}, {1'000'000'000, 60}},
  };
  Dovecot& old = site.Server("old");
  Dovecot& fresh = site.Server("new", {.storage = kSdbox});
  for (Dovecot* server : {&old, &fresh}) {
    auto store = site.Connect(*server);
    uint32_t expected = 1;
    for (const Message& message : messages) {
      const Appended appended = Put(*store, {"INBOX"}, message);
      EXPECT_EQ(appended.uid, expected++);
      EXPECT_GT(appended.uid_validity, 0u);
    }
    const FolderState state = store->Open({"INBOX"});
    EXPECT_EQ(state.messages, messages.size());
    EXPECT_EQ(state.uid_next, messages.size() + 1);
    const std::vector<Listed> all = ListAll(*store);
    ASSERT_EQ(all.size(), messages.size());
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i].date.unix_seconds, messages[i].date.unix_seconds) << i;
      EXPECT_EQ(all[i].flags, messages[i].flags) << i;
      EXPECT_EQ(all[i].bytes, messages[i].body.size()) << i;
      EXPECT_TRUE(ReadAll(*store, all[i].uid) == messages[i].body) << i;
    }
  }
  auto store = site.Connect(fresh);
  store->Open({"INBOX"});
  store->SetFlags(2, {"\\Flagged", "another"});
  EXPECT_THAT(ListAll(*store, 2, 2)[0].flags, ElementsAre("\\Flagged", "another"));
  store->Remove(3);
  EXPECT_EQ(ReadAll(*store, 3), "(gone)");
  EXPECT_EQ(ListAll(*store).size(), messages.size() - 1);
  EXPECT_EQ(ReadAll(*store, 77), "(gone)");
}

TEST(MailImap, TakesMessagesManyAtATimeAndTellsEachUid) {
  NEEDS_DOVECOT();
  MailSite site;
  for (const char* words : {"", "IMAP4rev1 UIDPLUS LITERAL+", "IMAP4rev1 UIDPLUS"}) {
    Dovecot& server = site.Server("s" + std::to_string(strlen(words)), {.fields = {{"CAPABILITY", words}}});
    auto store = site.Connect(server);
    std::vector<Outgoing> many;
    for (int i = 0; i < 250; ++i) many.push_back(ToSend({kSmall + std::to_string(i) + "\r\n", {"\\Seen"}, {1'600'000'000 + i, 0}}));
    const auto results = store->AppendAll({"INBOX"}, many);
    ASSERT_EQ(results.size(), 250u);
    const FolderState state = store->Open({"INBOX"});
    for (uint32_t i = 0; i < 250; ++i) {
      ASSERT_FALSE(results[i].refused);
      ASSERT_EQ(results[i].appended.uid, i + 1) << words;
      EXPECT_EQ(results[i].appended.uid_validity, state.uid_validity);
    }
    const auto all = ListAll(*store);
    ASSERT_EQ(all.size(), 250u);
    for (int i : {0, 99, 100, 249}) {
      EXPECT_EQ(all[static_cast<size_t>(i)].date.unix_seconds, 1'600'000'000 + i);
      EXPECT_EQ(ReadAll(*store, static_cast<uint32_t>(i) + 1), kSmall + std::to_string(i) + "\r\n");
    }
  }
}

uint64_t PeakKb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss);
}

TEST(MailImap, ListsManyMessagesAndReadsLargeOnesInLittleMemory) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("old", {.storage = kSdbox});
  auto store = site.Connect(server);
  const auto write_large = [](const Sink& sink) {
    const std::string line(78, 'x');
    for (int i = 0; i < 512 * 1024; ++i) sink(line + "\r\n");
  };
  const uint64_t before = PeakKb();
  store->Append({"INBOX"}, {0, 40 << 20, {}, {}}, write_large);
  store->Open({"INBOX"});
  uint64_t read = 0;
  sdk::Sha256 hash, expected;
  store->Read(1, [&](std::string_view bytes) { read += bytes.size(), hash.Update(bytes); });
  write_large([&](std::string_view bytes) { expected.Update(bytes); });
  EXPECT_EQ(read, uint64_t{40} << 20);
  EXPECT_EQ(hash.Hex(), expected.Hex());
  if (!testing::kSanitized) EXPECT_LT(PeakKb() - before, 8u << 10) << "kB: 40 MiB went through";

  std::vector<Outgoing> many;
  for (int i = 0; i < 2600; ++i) many.push_back(ToSend({kSmall, {"\\Seen"}}));
  for (const AppendResult& result : store->AppendAll({"INBOX"}, many)) ASSERT_FALSE(result.refused);
  // Holes in the numbers.
  store->Open({"INBOX"});
  for (uint32_t uid = 1500; uid < 1600; uid += 3) store->Remove(uid);
  store->Open({"INBOX"});
  uint32_t last = 0;
  size_t count = 0;
  store->List(1, UINT32_MAX, [&](const Listed& one) {
    EXPECT_GT(one.uid, last);
    last = one.uid, ++count;
    // Its own connection may be used while it lists.
    if (count % 500 == 0) {
      EXPECT_NE(ReadAll(*store, one.uid), "(gone)");
    }
  });
  EXPECT_EQ(count, 2601u - 34u);
  EXPECT_EQ(last, 2601u);
  EXPECT_EQ(ListAll(*store, 1500, 1599).size(), 66u);
  EXPECT_EQ(ListAll(*store, 2590, 2601).size(), 12u);
  EXPECT_THAT(ListAll(*store, 9000), IsEmpty());
}

TEST(MailImap, MissesNoMessageWhenOthersAreExpungedWhileItLists) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("old");
  auto store = site.Connect(server), other = site.Connect(server);
  std::vector<Outgoing> many;
  for (int i = 0; i < 2500; ++i) many.push_back(ToSend({kSmall}));
  store->AppendAll({"INBOX"}, many);
  store->Open({"INBOX"});
  other->Open({"INBOX"});
  std::set<uint32_t> seen;
  store->List(1, UINT32_MAX, [&](const Listed& one) {
    seen.insert(one.uid);
    if (one.uid != 500) return;
    for (uint32_t uid = 100; uid < 150; ++uid) other->Remove(uid);
    ReadAll(*store, 500);  // Hears of it.
  });
  for (uint32_t uid = 1; uid <= 2500; ++uid) EXPECT_TRUE(seen.count(uid)) << uid;
  EXPECT_EQ(ReadAll(*store, 120), "(gone)");
}

TEST(MailImap, FindsAnEmptyFolderEmptyAndAMissingOneMissing) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("old");
  auto store = site.Connect(server);
  store->Create({{"Vide"}});
  EXPECT_EQ(store->Open({"Vide"}).messages, 0u);
  EXPECT_THAT(ListAll(*store), IsEmpty());
  EXPECT_THAT(ListAll(*store, 5, 10), IsEmpty());
  EXPECT_EQ(CodeOf([&] { store->Open({"Absent"}); }), "no_folder");
  EXPECT_EQ(CodeOf([&] { Put(*store, {"Absent"}, {kSmall}); }), "no_folder");
  EXPECT_EQ(store->Open({"Vide"}).messages, 0u) << "the session goes on after refusals";
  EXPECT_FALSE(store->LargestMessage());
}

TEST(MailImap, ClosesAFolderToNewMailAndOpensItAgain) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("old");
  auto store = site.Connect(server);
  Put(*store, {"INBOX"}, {kSmall});
  const auto before = store->Rights({"INBOX"});
  ASSERT_THAT(before, ::testing::SizeIs(1));
  FolderRights closed = before[0];
  for (const char right : {'i', 'p'}) closed.rights.erase(std::remove(closed.rights.begin(), closed.rights.end(), right), closed.rights.end());
  store->SetRights({"INBOX"}, closed);
  EXPECT_THAT(site.Connect(server)->Rights({"INBOX"}), ElementsAre(closed));
  auto later = site.Connect(server);
  EXPECT_EQ(CodeOf([&] { Put(*later, {"INBOX"}, {kSmall}); }), "no_permission");
  EXPECT_EQ(later->Open({"INBOX"}).messages, 1u) << "it can be read";
  later->SetRights({"INBOX"}, before[0]);
  auto last = site.Connect(server);
  Put(*last, {"INBOX"}, {kSmall});
  EXPECT_EQ(last->Open({"INBOX"}).messages, 2u);
}

}  // namespace
}  // namespace reprise::mail
