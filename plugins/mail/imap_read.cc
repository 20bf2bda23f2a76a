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

// Refused for what is in the folder, not for how things are with the server: it may be one message of many.
bool IsAboutOne(const StoreError& error) {
  return error.code() == "corrupt" || error.code() == "no_permission" || error.code() == "refused" || error.code() == "server_error";
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

std::optional<NotGiven> ImapStore::ReadAlone(uint32_t uid, uint64_t bytes, const PieceSink& piece) {
  PassingBody body(uid, FarLargerThan(bytes), piece);
  try {
    AllowVanished([&] { session_.AskForBodies(AskFor({uid}), "UID FETCH", body); });
  } catch (const StoreError& error) {
    if (!IsAboutOne(error)) throw;
    return NotGiven{uid, error.code() == "refused" ? "not_given" : error.code()};
  }
  if (body.given()) return std::nullopt;
  const auto there = AskForSizes({uid});
  if (there.empty()) return std::nullopt;
  if (there.begin()->second != 0) return NotGiven{uid, "not_given"};
  piece(uid, {});  // Of an empty message some say NIL.
  return std::nullopt;
}

std::vector<NotGiven> ImapStore::ReadAll(const std::vector<uint32_t>& uids, const PieceSink& piece) {
  if (!open_) throw sdk::Error("internal", "no folder is open");
  std::vector<uint32_t> wanted = uids;
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  std::vector<NotGiven> not_given;
  const auto read_alone = [&](uint32_t uid, uint64_t bytes) {
    if (auto why = ReadAlone(uid, bytes, piece)) not_given.push_back(std::move(*why));
  };
  std::vector<uint32_t> some;
  uint64_t bytes = 0;
  const auto read_some = [&] {
    if (some.empty()) return;
    HeldBodies bodies({some.begin(), some.end()}, kHeldMax, piece);
    try {
      AllowVanished([&] { session_.AskForBodies(AskFor(some), "UID FETCH", bodies); });
    } catch (const StoreError& error) {
      if (!IsAboutOne(error)) throw;
    }
    // No more there, as a rule: each is asked about.
    for (const auto& [uid, size] : AskForSizes({bodies.left().begin(), bodies.left().end()})) read_alone(uid, size);
    some.clear();
    bytes = 0;
  };
  for (const auto& [uid, size] : SizesOf(wanted)) {
    if (size > kHeldMax) {
      read_alone(uid, size);
      continue;
    }
    if (some.size() >= kReadMessages || bytes + size > kReadBytes) read_some();
    some.push_back(uid);
    bytes += size;
  }
  read_some();
  return not_given;
}

bool ImapStore::Read(uint32_t uid, const Sink& sink) {
  bool there = false;
  const std::vector<NotGiven> not_given = ReadAll({uid}, [&](uint32_t, std::string_view bytes) {
    there = true;
    if (!bytes.empty()) sink(bytes);
  });
  if (!not_given.empty()) throw StoreError(not_given[0].why, "the mail server lists a message and does not give it");
  return there;
}

}  // namespace reprise::mail
