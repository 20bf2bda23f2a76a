#include "plugins/mail/migration.h"

#include <algorithm>
#include <map>
#include <set>

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
  std::vector<FolderRow> folders;
  bool any_fresh = false;
  for (const FolderPair& pair : plan.pairs) {
    watch_.check();
    const auto found = there.find(pair.target);
    if (found == there.end() || (pair.source.subscribed && !found->second->subscribed) || (pair.source.selectable && !found->second->selectable)) {
      Folder wanted = pair.source;
      wanted.path = pair.target;
      std::erase_if(wanted.special_use, [&](const std::string& use) { return uses.contains(use); });
      uses.insert(wanted.special_use.begin(), wanted.special_use.end());
      target_.Create(wanted);
      ++counts_.folders;
    }
    if (!pair.source.selectable) continue;
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
  gone_.clear();
  for (auto& [path, folder] : known) {
    // Its target may be gone too: made again, so that it can be asked what is in it.
    if (!there.contains(folder.target)) target_.Create({folder.target, true, false, {}});
    gone_.push_back(std::move(folder));
  }
  return folders;
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
  std::vector<MessageRow> done;
  const auto write_down = [&] {
    ledger_.Commit([&] {
      for (const MessageRow& row : done) ledger_.Put(folder.id, row);
    });
    done.clear();
  };
  for (const uint32_t uid : uids) {
    watch_.check();
    std::vector<MessageRow> rows = ledger_.Rows(folder.id, uid, uid);
    if (rows.empty() || !rows[0].is_there()) continue;
    MessageRow& row = rows[0];
    const bool removed = options_.deletions != Deletions::kKeep && row.own;
    if (removed) target_.Remove(row.target_uid);
    row.state = MessageState::kVanished;
    row.note = removed ? "" : kKept;
    if (removed) row.target_uid = 0;
    ++(removed ? counts_.removed : counts_.kept);
    done.push_back(std::move(row));
    if (done.size() >= kGroup) write_down();
  }
  if (!done.empty()) write_down();
}

}  // namespace reprise::mail
