#include "plugins/mail/migration.h"

#include <algorithm>
#include <map>
#include <set>

#include "plugins/mail/imap_errors.h"
#include "plugins/sdk/sha256.h"

namespace reprise::mail {

MoveCounts Migration::Pass() {
  counts_ = {};
  many_vanished_ = false;
  std::vector<Vanished> vanished;
  for (const FolderRow& folder : MakeFolders()) {
    FolderSync(source_, target_, ledger_, options_, watch_, folder, counts_).Run(vanished);
  }
  for (const FolderRow& folder : gone_) {
    FolderSync(source_, target_, ledger_, options_, watch_, folder, counts_).SettleAlone();
    uint32_t after = 0;
    for (std::vector<MessageRow> rows; !(rows = ledger_.Page(folder.id, after, options_.list_window)).empty(); after = rows.back().uid) {
      ledger_.Commit([&] {
        for (MessageRow row : rows) {
          if (row.is_there()) {
            vanished.push_back({folder.id, row.uid});
          } else if (row.state != MessageState::kVanished) {
            row.state = MessageState::kVanished;
            ledger_.Put(folder.id, row);
          }
        }
      });
    }
  }
  Follow(vanished);
  return counts_;
}

// Those of the ledger that the source has, in the source's order.
std::vector<FolderRow> Migration::MakeFolders() {
  const std::vector<Folder> source = source_.Folders();
  const std::vector<Folder> target = target_.Folders();
  std::map<FolderPath, FolderRow> known;
  std::map<FolderPath, FolderPath> decided;
  for (FolderRow& folder : ledger_.Folders()) {
    decided.emplace(folder.source, folder.target);
    known.emplace(folder.source, std::move(folder));
  }
  std::map<FolderPath, const Folder*> there;
  std::set<std::string> uses;
  for (const Folder& folder : target) {
    there.emplace(folder.path, &folder);
    uses.insert(folder.special_use.begin(), folder.special_use.end());
  }
  const FolderPlan plan = PlanFolders(source, target, decided, [this](const FolderPath& path) { return target_.Fit(path); }, options_.fold_case);
  counts_.virtuals = plan.virtuals.size();
  // A store that knows of no subscription, as files often do, is no reason to show people nothing.
  const bool says_subscribed = std::any_of(source.begin(), source.end(), [](const Folder& folder) { return folder.subscribed; });
  std::vector<FolderRow> folders;
  bool any_fresh = false;
  std::vector<FolderPath> refused;
  for (const FolderPair& pair : plan.pairs) {
    watch_.check();
    if (!pair.source.selectable) continue;  // A name on the way to others: their making makes it.
    const auto found = there.find(pair.target);
    if (found == there.end() || (pair.source.subscribed && !found->second->subscribed) || !found->second->selectable) {
      Folder wanted = pair.source;
      wanted.path = pair.target;
      wanted.subscribed = wanted.subscribed || !says_subscribed;
      std::erase_if(wanted.special_use, [&](const std::string& use) { return uses.contains(use); });
      uses.insert(wanted.special_use.begin(), wanted.special_use.end());
      if (!Made(wanted)) {
        refused.push_back(pair.source.path);
        continue;
      }
      ++counts_.folders;
    }
    auto row = known.find(pair.source.path);
    if (row == known.end()) {
      FolderRow fresh;
      fresh.source = pair.source.path;
      fresh.target = pair.target;
      folders.push_back(std::move(fresh));
      any_fresh = true;
    } else {
      folders.push_back(std::move(row->second));
      known.erase(row);
    }
  }
  if (any_fresh) {
    ledger_.Commit([&] {
      for (FolderRow& folder : folders) {
        if (folder.id == 0) folder = ledger_.AddFolder(std::move(folder));
      }
    });
  }
  counts_.folders_refused = refused.size();
  if (ledger_.RefusedFolders() != refused) ledger_.Commit([&] { ledger_.SetRefusedFolders(refused); });
  gone_.clear();
  for (auto& [path, folder] : known) {
    if (std::find(refused.begin(), refused.end(), path) != refused.end()) continue;
    // Its target may be gone too: made again, so that it can be asked what is in it.
    if (!there.contains(folder.target)) target_.Create({folder.target, true, false, {}});
    gone_.push_back(std::move(folder));
  }
  return folders;
}

// False: the target cannot have such a folder. The others do not wait for that.
bool Migration::Made(const Folder& folder) {
  try {
    target_.Create(folder);
    return true;
  } catch (const sdk::Error& error) {
    if (!IsFinalRefusal(error.code())) throw;
    return false;
  }
}

void Migration::Follow(const std::vector<Vanished>& vanished) {
  counts_.vanished += vanished.size();
  if (vanished.empty()) return;
  const auto tallies = ledger_.Tallies();
  const uint64_t there = tallies[static_cast<size_t>(MessageState::kCopied)].messages + tallies[static_cast<size_t>(MessageState::kVerified)].messages;
  if (options_.deletions == Deletions::kFollow && vanished.size() > VanishedMax(there)) {
    // Nothing is written down: the next pass sees them again, and whoever decides may follow all.
    many_vanished_ = true;
    counts_.kept += vanished.size();
    return;
  }
  std::map<int64_t, std::vector<uint32_t>> by_folder;
  for (const Vanished& one : vanished) by_folder[one.folder].push_back(one.uid);
  for (const FolderRow& folder : ledger_.Folders()) {
    const auto found = by_folder.find(folder.id);
    if (found != by_folder.end()) FollowIn(folder, found->second);
  }
}

void Migration::FollowIn(const FolderRow& folder, const std::vector<uint32_t>& uids) {
  // The numbers are good only as long as the target still counts as it did.
  if (target_.Open(folder.target).uid_validity != folder.target_validity) return;
  constexpr size_t kGroup = 64;
  std::vector<MessageRow> group;
  for (size_t i = 0; i < uids.size(); ++i) {
    std::vector<MessageRow> rows = ledger_.Rows(folder.id, uids[i], uids[i]);
    if (!rows.empty() && rows[0].is_there()) group.push_back(std::move(rows[0]));
    if (group.size() < kGroup && i + 1 < uids.size()) continue;
    RemoveSome(folder, group);
    group.clear();
  }
}

// Only what this ledger appended, and only while its bytes are what was appended: numbers may be wrong.
void Migration::RemoveSome(const FolderRow& folder, std::vector<MessageRow>& rows) {
  watch_.check();
  std::vector<uint32_t> uids;
  for (const MessageRow& row : rows) {
    if (options_.deletions != Deletions::kKeep && row.own) uids.push_back(row.target_uid);
  }
  std::map<uint32_t, sdk::Sha256> hashes;
  if (!uids.empty()) {
    target_.ReadAll(uids, [&](uint32_t uid, std::string_view piece) { hashes[uid].Update(piece); });
  }
  for (MessageRow& row : rows) {
    watch_.check();
    const auto hash = hashes.find(row.target_uid);
    const bool removed = hash != hashes.end() && hash->second.Hex() == row.sha256;
    if (removed) target_.Remove(row.target_uid);
    row.state = MessageState::kVanished;
    row.note = removed ? "" : kKept;
    if (removed) row.target_uid = 0;
    ++(removed ? counts_.removed : counts_.kept);
  }
  ledger_.Commit([&] {
    for (const MessageRow& row : rows) ledger_.Put(folder.id, row);
  });
}

}  // namespace reprise::mail
