// Bodies read many at a time, against a real Dovecot: each under its own UID, whatever other sessions do meanwhile.
#include <gmock/gmock.h>

#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/mail/mailboxes.h"

namespace reprise::mail {
namespace {

// No two alike in size or content; a few are too large to be held.
std::string BodyOf(uint32_t uid) {
  std::string body = "Subject: number " + std::to_string(uid) + "\r\n\r\n";
  const size_t size = uid % 100 == 50 ? (1 << 20) + 4096 * size_t(uid) : 5000 + 131 * size_t(uid);
  for (uint32_t line = uid; body.size() < size; line = line * 1664525 + 1013904223) body += std::to_string(line) + " of " + std::to_string(uid) + "\r\n";
  return body;
}

TEST(MailBodies, AreGivenEachUnderItsOwnUidWhileOthersWorkInTheFolder) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("old");
  auto store = site.Connect(server), other = site.Connect(server);
  constexpr uint32_t kMany = 300;
  std::vector<Outgoing> many;
  for (uint32_t uid = 1; uid <= kMany; ++uid) many.push_back(ToSend({BodyOf(uid)}));
  for (const AppendResult& result : store->AppendAll({"INBOX"}, many)) ASSERT_FALSE(result.refused);
  // An empty one no client can append; a disk that was full has left it.
  const fs::path empty = server.home(kUser) / "Maildir/new/1660000000.M1P1.empty";
  Spit(empty, "");
  fs::permissions(empty, fs::perms(0666));
  store->Open({"INBOX"});
  other->Open({"INBOX"});
  ASSERT_EQ(ListAll(*store).size(), kMany + 1);

  std::vector<uint32_t> wanted = {5000, 7000};  // Never there.
  for (uint32_t uid = kMany + 1; uid >= 1; --uid) wanted.push_back(uid);
  std::set<uint32_t> removed, given;
  std::map<uint32_t, sdk::Sha256> hashes;
  std::map<uint32_t, uint64_t> sizes;
  uint32_t open = 0;
  const auto take = [&](uint32_t uid, std::string_view piece) {
    if (uid != open) {
      EXPECT_TRUE(given.insert(uid).second) << uid << ": all of one before the next";
    }
    open = uid;
    hashes[uid].Update(piece);
    sizes[uid] += piece.size();
    if (!removed.empty()) return;
    for (uint32_t gone = 20; gone <= kMany; gone += 7) {
      other->Remove(gone);
      removed.insert(gone);
    }
    for (uint32_t changed = 3; changed <= kMany; changed += 11) other->SetFlags(changed, {"\\Flagged", "urgent"});
  };
  store->ReadAll(wanted, take);
  size_t missing = 0;
  for (uint32_t uid = 1; uid <= kMany; ++uid) {
    if (!given.contains(uid)) {
      ++missing;
      EXPECT_TRUE(removed.contains(uid)) << uid << " is there and was not given";
      continue;
    }
    EXPECT_EQ(sizes[uid], BodyOf(uid).size()) << uid;
    EXPECT_EQ(hashes[uid].Hex(), sdk::Sha256OfText(BodyOf(uid))) << uid << ": the body of another";
  }
  EXPECT_TRUE(given.contains(kMany + 1)) << "the empty one is there";
  EXPECT_EQ(sizes[kMany + 1], 0u);
  EXPECT_FALSE(given.contains(5000));
  EXPECT_GE(missing, 10u) << "too few vanished in the middle for this to show anything";
  std::printf("%zu of %zu messages vanished before they were read, the others are each under their own UID\n", missing, removed.size());

  // A session that has listed nothing, after all that.
  auto fresh = site.Connect(server);
  fresh->Open({"INBOX"});
  given.clear(), hashes.clear(), sizes.clear();
  open = 0;
  fresh->ReadAll(wanted, take);
  EXPECT_EQ(given.size(), kMany + 1 - removed.size());
  for (const uint32_t uid : given) {
    if (uid <= kMany) {
      EXPECT_EQ(hashes[uid].Hex(), sdk::Sha256OfText(BodyOf(uid))) << uid;
    }
  }
}

TEST(MailBodies, GoOnAfterAReaderThatCannotTakeThem) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("old");
  auto store = site.Connect(server);
  std::vector<Outgoing> many;
  std::vector<uint32_t> wanted;
  for (uint32_t uid = 1; uid <= 60; ++uid) many.push_back(ToSend({BodyOf(uid)})), wanted.push_back(uid);
  store->AppendAll({"INBOX"}, many);
  store->Open({"INBOX"});
  for (const uint32_t bad : {1u, 30u, 50u, 60u}) {
    EXPECT_EQ(CodeOf([&] {
      store->ReadAll(wanted, [&](uint32_t uid, std::string_view) {
        if (uid == bad) throw sdk::Error("disk_full", "the spool is full");
      });
    }), "disk_full");
    EXPECT_EQ(ReadAll(*store, bad), BodyOf(bad)) << "the session goes on";
  }
}

}  // namespace
}  // namespace reprise::mail
