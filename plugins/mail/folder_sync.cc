#include "plugins/mail/folder_sync.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "plugins/mail/folder_sync_windows.h"
#include "plugins/mail/imap_errors.h"

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

void FolderSync::Settle() {
  // By date first: a target may tell another one than it was given, but equal messages of two dates are not mixed up where it does not.
  for (const bool dated : {true, false}) {
    uint32_t after = 0;
    for (std::vector<MessageRow> rows; !(rows = ledger_.Intended(folder_.id, after, options_.list_window)).empty();) {
      watch_.check();
      after = rows.back().uid;
      SettleSome(std::move(rows), dated);
    }
  }
}

void FolderSync::SettleSome(std::vector<MessageRow> rows, bool dated) {
  std::vector<FoundRow> found;
  std::map<int64_t, uint32_t> place;
  for (const Pair& pair : MatchFound(rows, found, dated)) place.emplace(pair.row, pair.uid);
  for (MessageRow& row : rows) {
    const auto at = place.find(row.uid);
    if (at == place.end()) {
      if (dated) continue;
      row.state = MessageState::kListed;
      row.note = kAgain;
      counts_.again = true;
      continue;
    }
    row.state = MessageState::kCopied;
    row.target_uid = at->second;
    row.own = std::any_of(found.begin(), found.end(), [&](const FoundRow& one) { return one.message.uid == row.target_uid && one.own; });
    if (!row.own) SetFlags(row);
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
  std::map<uint32_t, std::string> hashes = HashesOf(uids);
  ledger_.Commit([&] {
    for (FoundRow& one : found) {
      const auto hash = hashes.find(one.message.uid);
      if (hash == hashes.end()) continue;
      one.message.sha256 = hash->second;
      hashes.erase(hash);
      ledger_.SetFoundHash(folder_.id, one.message.uid, one.message.sha256);
    }
  });
}

std::vector<Pair> FolderSync::MatchFound(const std::vector<MessageRow>& rows, std::vector<FoundRow>& found, bool dated) {
  std::vector<Wanted> wanted;
  std::set<std::pair<uint64_t, int64_t>> looks;
  for (const MessageRow& row : rows) {
    wanted.push_back({row.uid, row.bytes, dated ? row.date : InternalDate(), row.sha256});
    if (!looks.emplace(row.bytes, wanted.back().date.unix_seconds).second) continue;
    for (FoundRow& one : dated ? ledger_.Found(folder_.id, row.bytes, row.date.unix_seconds) : ledger_.FoundOwn(folder_.id, row.bytes)) {
      found.push_back(std::move(one));
    }
  }
  const auto candidates = [&] {
    std::vector<Candidate> all;
    for (const FoundRow& one : found) {
      all.push_back(one.message);
      if (!dated) all.back().date = {};
    }
    return all;
  };
  Hash(found, ToRead(wanted, candidates()));
  return Match(std::move(wanted), candidates());
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

// False: not permitted there. The messages behind it do not wait for that.
bool FolderSync::SetFlags(const MessageRow& row) {
  try {
    target_.SetFlags(row.target_uid, row.flags);
    return true;
  } catch (const Error& error) {
    if (!IsFinalRefusal(error.code())) throw;
    ++counts_.flags_refused;
    return false;
  }
}

void FolderSync::ChangeFlags(const std::vector<MessageRow>& rows) {
  if (rows.empty()) return;
  std::vector<const MessageRow*> changed;
  for (const MessageRow& row : rows) {
    watch_.check();
    if (SetFlags(row)) changed.push_back(&row);
  }
  ledger_.Commit([&] {
    for (const MessageRow* row : changed) Put(*row);
  });
  counts_.flags += changed.size();
}

}  // namespace reprise::mail
