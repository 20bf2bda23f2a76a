// How an ImapStore reads: small messages many at a time, large ones alone.
#include <algorithm>

#include "plugins/mail/imap_bodies.h"
#include "plugins/mail/imap_store.h"

namespace reprise::mail {
namespace {

constexpr size_t kSizesAtOnce = 500;

// A server's RFC822.SIZE may be an estimate.
uint64_t FarLargerThan(uint64_t bytes) { return 4 * bytes + (uint64_t{64} << 20); }

std::string AskFor(const std::vector<uint32_t>& uids) { return "UID FETCH " + SetOf(uids) + " (UID BODY.PEEK[])"; }

// "Some of them are no more", said of the whole command: those that are, were given.
void AllowVanished(const std::function<void()>& ask) {
  try {
    ask();
  } catch (const StoreError& error) {
    if (error.code() != "vanished") throw;
  }
}

}  // namespace

std::map<uint32_t, uint64_t> ImapStore::AskForSizes(const std::vector<uint32_t>& uids) {
  std::map<uint32_t, uint64_t> sizes;
  for (size_t first = 0; first < uids.size(); first += kSizesAtOnce) {
    const size_t last = std::min(uids.size(), first + kSizesAtOnce);
    const std::vector<uint32_t> some(uids.begin() + std::ptrdiff_t(first), uids.begin() + std::ptrdiff_t(last));
    AllowVanished([&] { session_.Ask("UID FETCH " + SetOf(some) + " (UID RFC822.SIZE)", "UID FETCH"); });
    const clist* fetched = session_.info().rsp_fetch_list;
    for (clistiter* one = fetched == nullptr ? nullptr : clist_begin(fetched); one != nullptr; one = clist_next(one)) {
      const Sized sized = SizedOf(*static_cast<mailimap_msg_att*>(clist_content(one)));
      if (sized.bytes && std::binary_search(some.begin(), some.end(), sized.uid)) sizes[sized.uid] = *sized.bytes;
    }
  }
  return sizes;
}

std::map<uint32_t, uint64_t> ImapStore::SizesOf(const std::vector<uint32_t>& uids) {
  std::map<uint32_t, uint64_t> sizes;
  std::vector<uint32_t> unknown;
  for (const uint32_t uid : uids) {
    const auto known = sizes_.find(uid);
    if (known == sizes_.end()) {
      unknown.push_back(uid);
    } else {
      sizes.insert(*known);
    }
  }
  sizes.merge(AskForSizes(unknown));
  return sizes;
}

void ImapStore::ReadAlone(uint32_t uid, uint64_t bytes, const PieceSink& piece) {
  PassingBody body(uid, FarLargerThan(bytes), piece);
  AllowVanished([&] { session_.AskForBodies(AskFor({uid}), "UID FETCH", body); });
  if (body.given()) return;
  const auto there = AskForSizes({uid});
  if (there.empty()) return;
  // Of an empty message some say NIL.
  if (there.begin()->second != 0) throw StoreError("bad_answer", "the mail server lists a message and does not give it");
  piece(uid, {});
}

void ImapStore::ReadAll(const std::vector<uint32_t>& uids, const PieceSink& piece) {
  if (!open_) throw sdk::Error("internal", "no folder is open");
  std::vector<uint32_t> wanted = uids;
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  std::vector<uint32_t> some;
  uint64_t bytes = 0;
  const auto read_some = [&] {
    if (some.empty()) return;
    HeldBodies bodies({some.begin(), some.end()}, kHeldMax, piece);
    AllowVanished([&] { session_.AskForBodies(AskFor(some), "UID FETCH", bodies); });
    // No more there, as a rule: each is asked about.
    for (const auto& [uid, size] : AskForSizes({bodies.left().begin(), bodies.left().end()})) ReadAlone(uid, size, piece);
    some.clear();
    bytes = 0;
  };
  for (const auto& [uid, size] : SizesOf(wanted)) {
    if (size > kHeldMax) {
      ReadAlone(uid, size, piece);
      continue;
    }
    if (some.size() >= kReadMessages || bytes + size > kReadBytes) read_some();
    some.push_back(uid);
    bytes += size;
  }
  read_some();
}

bool ImapStore::Read(uint32_t uid, const Sink& sink) {
  bool there = false;
  ReadAll({uid}, [&](uint32_t, std::string_view bytes) {
    there = true;
    if (!bytes.empty()) sink(bytes);
  });
  return there;
}

}  // namespace reprise::mail
