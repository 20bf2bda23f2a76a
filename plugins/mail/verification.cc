#include "plugins/mail/verification.h"

#include <algorithm>
#include <map>
#include <set>

#include "plugins/mail/folder_sync_windows.h"
#include "plugins/mail/migration_folders.h"
#include "plugins/sdk/sha256.h"

namespace reprise::mail {
namespace {

bool IsVirtual(const Folder& folder) {
  return std::any_of(folder.special_use.begin(), folder.special_use.end(), [](const std::string& use) { return use == "\\All" || use == "\\Flagged"; });
}

// Of one that is there and not given: empty.
std::map<uint32_t, std::string> Hashes(Source& store, std::vector<uint32_t> uids, const Watch& watch) {
  std::sort(uids.begin(), uids.end());
  std::map<uint32_t, sdk::Sha256> open;
  const std::vector<NotGiven> not_given = store.ReadAll(uids, [&](uint32_t uid, std::string_view piece) { open[uid].Update(piece); });
  watch.check();
  std::map<uint32_t, std::string> hashes;
  for (const NotGiven& one : not_given) hashes.emplace(one.uid, "");
  for (auto& [uid, hash] : open) hashes.emplace(uid, hash.Hex());
  return hashes;
}

class FolderVerifier {
 public:
  FolderVerifier(Source& source, Target& target, const Ledger& ledger, const FolderRow& folder, const VerifyOptions& options, const Watch& watch, VerifyCounts& counts)
      : source_(source), target_(target), ledger_(ledger), folder_(folder), options_(options), watch_(watch), counts_(counts) {}

  void Run() {
    const FolderState there = target_.Open(folder_.target);
    const FolderState from = source_.Open(folder_.source);
    // Numbers that were given anew pair nothing: all of it is missing until the next pass has matched it.
    numbers_hold_ = there.uid_validity == folder_.target_validity && from.uid_validity == folder_.source_validity;
    counts_.renumbered += !numbers_hold_;
    for (UidWindows window(1, from.uid_next, options_.list_window); window.More();) {
      watch_.check();
      window.Seen(Compare(window.first(), window.last()));
    }
    LookForExtras(there);
  }

 private:
  struct Both {
    Listed source;
    MessageRow row;
  };

  size_t Compare(uint32_t first, uint32_t last) {
    std::vector<Listed> listed;
    source_.List(first, last, [&](const Listed& message) { listed.push_back(message); });
    const std::vector<MessageRow> rows = ledger_.Rows(folder_.id, first, last);
    std::vector<Both> pairs;
    auto row = rows.begin();
    for (const Listed& message : listed) {
      ++counts_.messages;
      counts_.bytes += message.bytes;
      while (row != rows.end() && row->uid < message.uid) counts_.kept += (row++)->target_uid != 0;
      const bool known = numbers_hold_ && row != rows.end() && row->uid == message.uid;
      if (known && row->target_uid != 0) {
        pairs.push_back({message, *row});
      } else if (known && row->state == MessageState::kHeld) {
        ++(row->note == "infected" ? counts_.infected : counts_.not_scanned);
      } else {
        ++(known && row->state == MessageState::kFailed ? counts_.failed : counts_.fresh);
      }
      if (row != rows.end() && row->uid == message.uid) ++row;
    }
    for (; row != rows.end(); ++row) counts_.kept += row->target_uid != 0;
    ComparePairs(pairs);
    watch_.moved(listed.size(), 0);
    return listed.size();
  }

  // The target's listing of these UIDs, range by range: they are mostly one after the other.
  std::map<uint32_t, Listed> ListTargets(const std::vector<Both>& pairs) {
    std::vector<uint32_t> uids;
    for (const Both& one : pairs) uids.push_back(one.row.target_uid);
    std::sort(uids.begin(), uids.end());
    std::map<uint32_t, Listed> listed;
    for (size_t begin = 0; begin < uids.size();) {
      size_t end = begin + 1;
      while (end < uids.size() && uids[end] - uids[end - 1] < 200) ++end;
      target_.List(uids[begin], uids[end - 1], [&](const Listed& message) {
        if (std::binary_search(uids.begin(), uids.end(), message.uid)) listed.emplace(message.uid, message);
      });
      begin = end;
    }
    return listed;
  }

  void ComparePairs(const std::vector<Both>& pairs) {
    const std::map<uint32_t, Listed> targets = ListTargets(pairs);
    std::vector<Both> to_read;
    for (const Both& one : pairs) {
      const auto found = targets.find(one.row.target_uid);
      if (found == targets.end()) {
        ++counts_.missing;
        continue;
      }
      if (one.row.target_uid < last_target_) ++counts_.out_of_order;
      last_target_ = std::max(last_target_, one.row.target_uid);
      const Listed& there = found->second;
      const bool dates = !SameInstant(there.date, one.source.date), flags = there.flags != one.source.flags;
      const bool sizes = there.bytes != one.row.bytes;
      counts_.dates += dates;
      counts_.flags += flags;
      counts_.differ += sizes;
      if (dates || flags || sizes) continue;
      if (options_.one_in == 0 || seen_++ % options_.one_in != 0) {
        ++counts_.same;
        continue;
      }
      to_read.push_back(one);
      if (to_read.size() >= options_.read_window) Read(to_read);
    }
    Read(to_read);
  }

  void Read(std::vector<Both>& pairs) {
    if (pairs.empty()) return;
    std::vector<uint32_t> from, to;
    for (const Both& one : pairs) from.push_back(one.row.uid), to.push_back(one.row.target_uid);
    const auto source = Hashes(source_, std::move(from), watch_), target = Hashes(target_, std::move(to), watch_);
    for (const Both& one : pairs) {
      const auto here = source.find(one.row.uid), there = target.find(one.row.target_uid);
      if (here == source.end()) continue;  // Vanished at this moment: a matter of the next pass.
      if (here->second.empty() || (there != target.end() && there->second.empty())) {
        ++counts_.not_read;
        continue;
      }
      ++counts_.read;
      ++(there == target.end() ? counts_.missing : here->second == there->second ? counts_.same : counts_.differ);
    }
    pairs.clear();
  }

  // What is in the target and no row's: another tool's or another sender's, or one of ours a second time.
  void LookForExtras(const FolderState& state) {
    std::vector<Listed> extras;
    for (UidWindows window(1, state.uid_next, options_.list_window); window.More();) {
      watch_.check();
      size_t many = 0;
      std::vector<Listed> listed;
      target_.List(window.first(), window.last(), [&](const Listed& message) { ++many, listed.push_back(message); });
      for (const Listed& message : listed) {
        if (!numbers_hold_ || !ledger_.RowOfTarget(folder_.id, message.uid)) extras.push_back(message);
      }
      window.Seen(many);
    }
    if (extras.empty()) return;
    if (!numbers_hold_) {
      counts_.foreign += extras.size();
      return;
    }
    std::set<std::pair<uint64_t, int64_t>> looks;
    for (const Listed& one : extras) looks.emplace(one.bytes, one.date.unix_seconds);
    std::set<std::string> ours;
    uint32_t after = 0;
    for (std::vector<MessageRow> rows; !(rows = ledger_.Page(folder_.id, after, options_.list_window)).empty(); after = rows.back().uid) {
      for (const MessageRow& row : rows) {
        if (row.target_uid != 0 && looks.contains({row.bytes, row.date.unix_seconds})) ours.insert(row.sha256);
      }
    }
    for (size_t begin = 0; begin < extras.size(); begin += options_.read_window) {
      const size_t end = std::min(extras.size(), begin + options_.read_window);
      std::vector<uint32_t> uids;
      for (size_t i = begin; i < end && !ours.empty(); ++i) uids.push_back(extras[i].uid);
      const auto hashes = uids.empty() ? std::map<uint32_t, std::string>() : Hashes(target_, uids, watch_);
      for (size_t i = begin; i < end; ++i) {
        const auto found = hashes.find(extras[i].uid);
        ++(found != hashes.end() && ours.contains(found->second) ? counts_.doubled : counts_.foreign);
      }
    }
  }

  Source& source_;
  Target& target_;
  const Ledger& ledger_;
  const FolderRow& folder_;
  const VerifyOptions& options_;
  const Watch& watch_;
  VerifyCounts& counts_;
  bool numbers_hold_ = false;
  uint32_t last_target_ = 0;
  uint64_t seen_ = 0;
};

}  // namespace

void VerifyCounts::Add(const VerifyCounts& other) {
  for (uint64_t VerifyCounts::*count : {&VerifyCounts::folders, &VerifyCounts::messages, &VerifyCounts::bytes, &VerifyCounts::same, &VerifyCounts::read,
                                        &VerifyCounts::missing_folders, &VerifyCounts::unsubscribed,
                                        &VerifyCounts::renumbered, &VerifyCounts::fresh, &VerifyCounts::missing, &VerifyCounts::differ, &VerifyCounts::not_read,
                                        &VerifyCounts::flags, &VerifyCounts::dates, &VerifyCounts::doubled, &VerifyCounts::out_of_order,
                                        &VerifyCounts::foreign, &VerifyCounts::kept, &VerifyCounts::infected, &VerifyCounts::not_scanned,
                                        &VerifyCounts::failed}) {
    this->*count += other.*count;
  }
}

namespace {

struct CountWords {
  uint64_t VerifyCounts::*count;
  const char* english;
  const char* french;
};

constexpr CountWords kCountWords[] = {
    {&VerifyCounts::missing_folders, "folders missing", "dossiers manquants"},
    {&VerifyCounts::unsubscribed, "folders not subscribed", "dossiers non abonnés"},
    {&VerifyCounts::renumbered, "folders numbered anew", "dossiers renumérotés"},
    {&VerifyCounts::fresh, "not copied yet", "pas encore copiés"},
    {&VerifyCounts::missing, "missing", "manquants"},
    {&VerifyCounts::differ, "with other bytes", "au contenu différent"},
    {&VerifyCounts::not_read, "not given to be read", "non donnés à lire"},
    {&VerifyCounts::flags, "with other flags", "aux drapeaux différents"},
    {&VerifyCounts::dates, "with another date", "à la date différente"},
    {&VerifyCounts::doubled, "doubled", "en double"},
    {&VerifyCounts::out_of_order, "out of order", "dans un autre ordre"},
    {&VerifyCounts::foreign, "of others in the target", "étrangers dans la cible"},
    {&VerifyCounts::kept, "kept though gone in the source", "gardés bien que disparus de la source"},
    {&VerifyCounts::infected, "in quarantine", "en quarantaine"},
    {&VerifyCounts::not_scanned, "held, not scanned", "retenus, non analysés"},
    {&VerifyCounts::failed, "not taken by the target", "refusés par la cible"},
};

std::string WithCounts(const VerifyCounts& counts, std::string text, const char* CountWords::*language) {
  for (const CountWords& words : kCountWords) {
    if (const uint64_t many = counts.*words.count; many > 0) text += ", " + std::to_string(many) + " " + words.*language;
  }
  return text;
}

}  // namespace

std::string VerifyCounts::Shown() const {
  return WithCounts(*this, std::to_string(same) + " of " + std::to_string(messages) + " messages the same", &CountWords::english);
}

std::string VerifyCounts::InFrench() const {
  return WithCounts(*this, std::to_string(same) + " messages sur " + std::to_string(messages) + " identiques", &CountWords::french);
}

VerifyCounts VerifyBox(Source& source, Target& target, const Ledger* ledger, const VerifyOptions& options, const Watch& watch) {
  VerifyCounts counts;
  std::map<FolderPath, FolderRow> known;
  if (ledger != nullptr) {
    for (FolderRow& folder : ledger->Folders()) known.emplace(folder.source, std::move(folder));
  }
  std::map<FolderPath, Folder> there;
  for (Folder& folder : target.Folders()) there.emplace(folder.path, std::move(folder));
  for (const Folder& folder : source.Folders()) {
    if (!folder.selectable || IsVirtual(folder)) continue;
    ++counts.folders;
    const auto row = known.find(folder.path);
    const auto made = row == known.end() ? there.end() : there.find(row->second.target);
    if (made == there.end()) {
      ++counts.missing_folders;
      const uint64_t messages = source.Open(folder.path).messages;
      counts.messages += messages;
      counts.fresh += messages;
      continue;
    }
    if (folder.subscribed && !made->second.subscribed) ++counts.unsubscribed;
    FolderVerifier(source, target, *ledger, row->second, options, watch, counts).Run();
  }
  return counts;
}

Difference DifferenceOf(Source& source, const Ledger* ledger, uint32_t list_window, const Watch& watch) {
  Difference difference;
  std::map<FolderPath, FolderRow> known;
  if (ledger != nullptr) {
    for (FolderRow& folder : ledger->Folders()) known.emplace(folder.source, std::move(folder));
  }
  for (const Folder& folder : source.Folders()) {
    if (!folder.selectable || IsVirtual(folder)) continue;
    const auto row = known.find(folder.path);
    const FolderState state = source.Open(folder.path);
    const bool numbers_hold = row != known.end() && row->second.source_validity == state.uid_validity;
    for (UidWindows window(1, state.uid_next, list_window); window.More();) {
      watch.check();
      std::map<uint32_t, MessageRow> rows;
      if (numbers_hold) {
        for (MessageRow& one : ledger->Rows(row->second.id, window.first(), window.last())) rows.emplace(one.uid, std::move(one));
      }
      size_t many = 0;
      source.List(window.first(), window.last(), [&](const Listed& message) {
        ++many;
        ++difference.source_messages;
        difference.source_bytes += message.bytes;
        const auto found = rows.find(message.uid);
        if (found != rows.end() && found->second.is_there()) {
          ++difference.there;
          difference.flags += found->second.flags != message.flags;
        } else if (found == rows.end() || found->second.state != MessageState::kHeld || found->second.note != "infected") {
          ++difference.to_copy;
          difference.bytes += message.bytes;
        }
        if (found != rows.end()) rows.erase(found);
      });
      for (const auto& [uid, one] : rows) difference.vanished += one.is_there();
      window.Seen(many);
    }
  }
  return difference;
}

}  // namespace reprise::mail
