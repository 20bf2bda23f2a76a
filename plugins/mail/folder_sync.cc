#include "plugins/mail/folder_sync.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "plugins/mail/folder_sync_windows.h"

namespace reprise::mail {

using sdk::Error;

constexpr uint32_t kLastUid = std::numeric_limits<uint32_t>::max();

void FolderSync::Run(std::vector<Vanished>& vanished) {
  Account();
  Settle();
  RemoveTwins();
  OpenSource();
  anything_found_ = ledger_.HasFound(folder_.id);
  for (UidWindows window(1, source_next_, options_.list_window); window.More();) {
    watch_.check();
    window.Seen(Compare(window.first(), window.last(), vanished));
  }
  // What arrived since it was opened is of the next pass.
}

void FolderSync::SettleAlone() {
  Account();
  Settle();
}

void FolderSync::Account() {
  const FolderState state = target_.Open(folder_.target);
  if (folder_.target_validity != state.uid_validity) {
    FolderRow fresh = folder_;
    fresh.target_validity = state.uid_validity;
    fresh.accounted = 1;
    fresh.own_from = state.uid_next == 0 ? kLastUid : state.uid_next;
    ledger_.Commit([&] {
      if (folder_.target_validity != 0) ledger_.TargetRenumbered(folder_);
      ledger_.UpdateFolder(fresh);
    });
    folder_ = fresh;
  }
  for (UidWindows window(folder_.accounted, state.uid_next, options_.list_window); window.More();) {
    watch_.check();
    const std::vector<uint32_t> known = ledger_.KnownTargets(folder_.id, window.first(), window.last());
    std::vector<FoundRow> found;
    size_t many = 0;
    uint32_t highest = 0;
    target_.List(window.first(), window.last(), [&](const Listed& message) {
      ++many;
      highest = message.uid;
      if (std::binary_search(known.begin(), known.end(), message.uid)) return;
      found.push_back({{message.uid, message.bytes, message.date, ""}, message.uid >= folder_.own_from});
    });
    FolderRow further = folder_;
    // Beyond the highest one a UID may still come, where the target does not say which is the next.
    if (state.uid_next != 0) further.accounted = window.last() == kLastUid ? kLastUid : window.last() + 1;
    if (state.uid_next == 0 && many > 0) further.accounted = highest == kLastUid ? kLastUid : highest + 1;
    if (!found.empty() || further.accounted != folder_.accounted) {
      ledger_.Commit([&] {
        for (const FoundRow& one : found) ledger_.AddFound(folder_.id, one);
        ledger_.UpdateFolder(further);
      });
    }
    folder_ = further;
    window.Seen(many);
  }
  if (state.messages < ledger_.KnownTargetCount(folder_.id)) LookForLost();
}

// A target that was restored from a copy, or somebody's hand: what the ledger knows there and is not is copied again.
void FolderSync::LookForLost() {
  for (UidWindows window(1, folder_.accounted, options_.list_window); window.More();) {
    watch_.check();
    std::vector<uint32_t> known = ledger_.KnownTargets(folder_.id, window.first(), window.last());
    const size_t many = known.size();
    std::set<uint32_t> there;
    if (many > 0) target_.List(window.first(), window.last(), [&](const Listed& message) { there.insert(message.uid); });
    std::erase_if(known, [&](uint32_t uid) { return there.contains(uid); });
    if (!known.empty()) {
      ledger_.Commit([&] {
        for (const uint32_t uid : known) ledger_.TargetLost(folder_.id, uid);
      });
    }
    window.Seen(std::max(many, there.size()));
  }
}

void FolderSync::Settle() {
  uint32_t after = 0;
  for (;;) {
    watch_.check();
    std::vector<MessageRow> rows = ledger_.Intended(folder_.id, after, options_.list_window);
    if (rows.empty()) return;
    after = rows.back().uid;
    std::vector<FoundRow> found;
    const std::vector<Pair> pairs = MatchFound(rows, found);
    std::map<int64_t, uint32_t> place;
    for (const Pair& pair : pairs) place.emplace(pair.row, pair.uid);
    for (MessageRow& row : rows) {
      const auto at = place.find(row.uid);
      if (at == place.end()) {
        row.state = MessageState::kListed;
        row.note = kAgain;
        counts_.again = true;
        continue;
      }
      row.state = MessageState::kCopied;
      row.target_uid = at->second;
      row.own = std::any_of(found.begin(), found.end(), [&](const FoundRow& one) { return one.message.uid == row.target_uid && one.own; });
      if (!row.own) target_.SetFlags(row.target_uid, row.flags);
      ++(row.own ? counts_.copied : counts_.adopted);
      if (row.own) counts_.bytes += row.bytes;
    }
    ledger_.Commit([&] {
      for (const MessageRow& row : rows) {
        if (row.target_uid != 0) ledger_.ForgetFound(folder_.id, row.target_uid);
        Put(row);
      }
    });
  }
}

// A server may carry out an append after the connection that brought it was lost, and after it was asked what it has. Then the
// message was appended again, and this one is its twin: same bytes, same date, same hash, and nobody's.
void FolderSync::RemoveTwins() {
  const std::vector<MessageRow> rows = ledger_.Again(folder_.id);
  if (rows.empty()) return;
  std::vector<FoundRow> found;
  for (const Pair& pair : MatchFound(rows, found)) {
    const auto twin = std::find_if(found.begin(), found.end(), [&](const FoundRow& one) { return one.message.uid == pair.uid; });
    if (twin == found.end() || !twin->own) continue;
    target_.Remove(pair.uid);
    ledger_.Commit([&] { ledger_.ForgetFound(folder_.id, pair.uid); });
    ++counts_.twins;
  }
}

// Reads from the target, and keeps what was learnt.
void FolderSync::Hash(std::vector<FoundRow>& found, const std::vector<uint32_t>& uids) {
  if (uids.empty()) return;
  std::map<uint32_t, sdk::Sha256> hashes;
  target_.ReadAll(uids, [&](uint32_t uid, std::string_view piece) {
    if (piece.empty()) watch_.check();
    hashes[uid].Update(piece);
  });
  ledger_.Commit([&] {
    for (FoundRow& one : found) {
      const auto hash = hashes.find(one.message.uid);
      if (hash == hashes.end()) continue;
      one.message.sha256 = hash->second.Hex();
      hashes.erase(hash);
      ledger_.SetFoundHash(folder_.id, one.message.uid, one.message.sha256);
    }
  });
}

std::vector<Pair> FolderSync::MatchFound(const std::vector<MessageRow>& rows, std::vector<FoundRow>& found) {
  std::vector<Wanted> wanted;
  std::set<std::pair<uint64_t, int64_t>> looks;
  for (const MessageRow& row : rows) {
    wanted.push_back({row.uid, row.bytes, row.date, row.sha256});
    if (!looks.emplace(row.bytes, row.date.unix_seconds).second) continue;
    for (FoundRow& one : ledger_.Found(folder_.id, row.bytes, row.date.unix_seconds)) found.push_back(std::move(one));
  }
  std::vector<Candidate> candidates;
  for (const FoundRow& one : found) candidates.push_back(one.message);
  Hash(found, ToRead(wanted, candidates));
  candidates.clear();
  for (const FoundRow& one : found) candidates.push_back(one.message);
  return Match(std::move(wanted), std::move(candidates));
}

void FolderSync::OpenSource() {
  const FolderState state = source_.Open(folder_.source);
  source_next_ = state.uid_next;
  if (folder_.source_validity == state.uid_validity) return;
  FolderRow fresh = folder_;
  fresh.source_validity = state.uid_validity;
  ledger_.Commit([&] {
    if (folder_.source_validity != 0) ledger_.SourceRenumbered(folder_);
    ledger_.UpdateFolder(fresh);
  });
  folder_ = fresh;
}

size_t FolderSync::Compare(uint32_t first, uint32_t last, std::vector<Vanished>& vanished) {
  std::vector<Listed> listed;
  source_.List(first, last, [&](const Listed& message) { listed.push_back(message); });
  const std::vector<MessageRow> rows = ledger_.Rows(folder_.id, first, last);
  std::vector<MessageRow> fresh, to_copy, flags, gone;
  uint64_t settled = 0, settled_bytes = 0;
  auto row = rows.begin();
  const auto vanish_before = [&](uint64_t uid) {
    for (; row != rows.end() && row->uid < uid; ++row) {
      if (row->is_there()) {
        vanished.push_back({folder_.id, row->uid});
      } else if (row->state != MessageState::kVanished && row->state != MessageState::kIntended) {
        gone.push_back(*row);
        gone.back().state = MessageState::kVanished;
      }
    }
  };
  for (const Listed& message : listed) {
    vanish_before(message.uid);
    if (row == rows.end() || row->uid != message.uid) {
      fresh.push_back({message.uid, MessageState::kListed, message.bytes, message.date, message.flags});
      to_copy.push_back(fresh.back());
      continue;
    }
    MessageRow known = *row++;
    const bool came_back = known.state == MessageState::kVanished && known.target_uid != 0;
    if (known.is_there() || came_back) {
      ++settled, settled_bytes += known.bytes;
      if (known.flags == message.flags && !came_back) continue;
      known.flags = message.flags;
      known.state = MessageState::kCopied;
      if (known.note == kKept) known.note.clear();
      flags.push_back(std::move(known));
    } else if (known.state != MessageState::kIntended && !(known.state == MessageState::kHeld && known.note == "infected")) {
      to_copy.push_back({message.uid, MessageState::kListed, message.bytes, message.date, message.flags});
      if (known.note == kAgain) to_copy.back().note = kAgain;
    } else {
      ++settled, settled_bytes += known.bytes;
    }
  }
  vanish_before(uint64_t{kLastUid} + 1);
  if (!fresh.empty() || !gone.empty()) {
    ledger_.Commit([&] {
      for (const MessageRow& one : fresh) Put(one);
      for (const MessageRow& one : gone) Put(one);
    });
  }
  counts_.vanished += gone.size();
  watch_.moved(settled, settled_bytes);
  ChangeFlags(flags);
  Copy(std::move(to_copy));
  return listed.size();
}

void FolderSync::ChangeFlags(const std::vector<MessageRow>& rows) {
  if (rows.empty()) return;
  for (const MessageRow& row : rows) {
    watch_.check();
    target_.SetFlags(row.target_uid, row.flags);
  }
  ledger_.Commit([&] {
    for (const MessageRow& row : rows) Put(row);
  });
  counts_.flags += rows.size();
}

}  // namespace reprise::mail
