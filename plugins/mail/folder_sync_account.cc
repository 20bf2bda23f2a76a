// What is in the target, against what the ledger knows of it: each message there is a row's, or is written down as found; and what this
// ledger appended since the last look is where the target said that it put it. Some say another number, and a message that was taken
// for another would be marked, removed or copied in its place.
#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "plugins/mail/folder_sync.h"
#include "plugins/mail/folder_sync_windows.h"

namespace reprise::mail {
namespace {

constexpr uint32_t kLastUid = std::numeric_limits<uint32_t>::max();
// More than these are no slips: a target that alters what it takes looks like that.
constexpr size_t kOddMax = 1000;

using Look = std::pair<uint64_t, int64_t>;  // Bytes, date.
template <typename Message>
Look LookOf(const Message& message) {
  return {message.bytes, message.date.unix_seconds};
}

}  // namespace

void FolderSync::Account() {
  const FolderState state = target_.Open(folder_.target);
  if (folder_.target_validity != state.uid_validity) {
    FolderRow fresh = folder_;
    fresh.target_validity = state.uid_validity;
    fresh.accounted = fresh.checked = 1;
    fresh.own_from = state.uid_next == 0 ? kLastUid : state.uid_next;
    ledger_.Commit([&] {
      if (folder_.target_validity != 0) ledger_.TargetRenumbered(folder_);
      ledger_.UpdateFolder(fresh);
    });
    folder_ = fresh;
  }
  std::vector<Odd> odd;
  for (UidWindows window(folder_.checked, state.uid_next, options_.list_window); window.More();) {
    watch_.check();
    const std::vector<uint32_t> known = ledger_.KnownTargets(folder_.id, window.first(), window.last());
    std::map<uint32_t, Listed> ours;
    std::vector<FoundRow> found;
    size_t many = 0;
    uint32_t highest = 0;
    target_.List(window.first(), window.last(), [&](const Listed& message) {
      ++many;
      highest = message.uid;
      if (std::binary_search(known.begin(), known.end(), message.uid)) {
        ours.emplace(message.uid, message);
      } else {
        found.push_back({{message.uid, message.bytes, message.date, ""}, message.uid >= folder_.own_from});
      }
    });
    FolderRow further = folder_;
    // Beyond the highest one a UID may still come, where the target does not say which is the next.
    const uint32_t end = state.uid_next != 0 ? window.last() : highest;
    if (state.uid_next != 0 || many > 0) further.accounted = std::max(folder_.accounted, end == kLastUid ? kLastUid : end + 1);
    if (!found.empty() || further.accounted != folder_.accounted) {
      ledger_.Commit([&] {
        for (const FoundRow& one : found) ledger_.AddFound(folder_.id, one);
        ledger_.UpdateFolder(further);
      });
    }
    folder_ = further;
    LookForOdd(window.first(), window.last(), ours, odd);
    window.Seen(many);
  }
  // And of numbers that it has not even given.
  if (state.uid_next != 0) LookForOdd(state.uid_next, kLastUid, {}, odd);
  PutRight(odd);
  if (state.messages < ledger_.KnownTargetCount(folder_.id)) LookForLost();
}

// Rows of which something else, or nothing, is where they should be.
void FolderSync::LookForOdd(uint32_t first, uint32_t last, const std::map<uint32_t, Listed>& there, std::vector<Odd>& odd) {
  std::map<Look, std::vector<const MessageRow*>> alike;
  const std::vector<MessageRow> rows = ledger_.RowsAt(folder_.id, first, last);
  for (const MessageRow& row : rows) {
    if (odd.size() >= kOddMax) return;
    const auto found = there.find(row.target_uid);
    if (found == there.end()) {
      odd.push_back({row, std::nullopt});
    } else if (found->second.bytes != row.bytes || !SameInstant(found->second.date, row.date)) {
      odd.push_back({row, Candidate{row.target_uid, found->second.bytes, found->second.date, ""}});
    } else {
      alike[LookOf(row)].push_back(&row);
    }
  }
  // Those that could be taken for one another are read.
  std::vector<uint32_t> uids;
  for (const auto& look : alike) {
    const std::vector<const MessageRow*>& same = look.second;
    const bool differ = std::any_of(same.begin(), same.end(), [&](const MessageRow* row) { return row->sha256 != same[0]->sha256; });
    for (const MessageRow* row : same) {
      if (differ) uids.push_back(row->target_uid);
    }
  }
  if (uids.empty()) return;
  std::map<uint32_t, std::string> hashes = HashesOf(uids);
  for (const MessageRow& row : rows) {
    const auto hash = hashes.find(row.target_uid);
    if (hash == hashes.end() || hash->second == row.sha256 || odd.size() >= kOddMax) continue;
    odd.push_back({row, Candidate{row.target_uid, row.bytes, row.date, hash->second}});
  }
}

// Only rows whose message is seen somewhere else, byte for byte: a target that alters what it takes is no reason to append it again.
void FolderSync::PutRight(std::vector<Odd>& odd) {
  FolderRow further = folder_;
  further.checked = folder_.accounted;
  std::set<Look> wanted;
  std::vector<FoundRow> seen;
  for (const Odd& one : odd) {
    if (!wanted.insert(LookOf(one.row)).second) continue;
    for (FoundRow& found : ledger_.Found(folder_.id, one.row.bytes, one.row.date.unix_seconds)) seen.push_back(std::move(found));
  }
  std::vector<uint32_t> uids;
  for (const Odd& one : odd) {
    if (one.there && one.there->sha256.empty() && wanted.contains(LookOf(*one.there))) uids.push_back(one.there->uid);
  }
  for (const FoundRow& one : seen) {
    if (one.message.sha256.empty()) uids.push_back(one.message.uid);
  }
  const std::map<uint32_t, std::string> hashes = uids.empty() ? std::map<uint32_t, std::string>() : HashesOf(uids);
  std::set<std::string> elsewhere;
  const auto learn = [&](Candidate& one) {
    if (const auto hash = hashes.find(one.uid); hash != hashes.end()) one.sha256 = hash->second;
    if (!one.sha256.empty()) elsewhere.insert(one.sha256);
  };
  for (Odd& one : odd) {
    if (one.there) learn(*one.there);
  }
  for (FoundRow& one : seen) learn(one.message);
  std::erase_if(odd, [&](const Odd& one) { return !elsewhere.contains(one.row.sha256); });
  if (odd.empty() && further.checked == folder_.checked) return;
  ledger_.Commit([&] {
    for (const Odd& one : odd) {
      ledger_.Misplaced(folder_.id, one.row);
      if (one.there) ledger_.AddFound(folder_.id, {*one.there, one.there->uid >= folder_.own_from});
    }
    ledger_.UpdateFolder(further);
  });
  folder_ = further;
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

std::map<uint32_t, std::string> FolderSync::HashesOf(const std::vector<uint32_t>& uids) {
  std::map<uint32_t, sdk::Sha256> open;
  const std::vector<NotGiven> not_given = target_.ReadAll(uids, [&](uint32_t uid, std::string_view piece) {
    if (piece.empty()) watch_.check();
    open[uid].Update(piece);
  });
  for (const NotGiven& one : not_given) open.erase(one.uid);
  std::map<uint32_t, std::string> hashes;
  for (auto& [uid, hash] : open) hashes.emplace(uid, hash.Hex());
  return hashes;
}

}  // namespace reprise::mail
