// The copying of windows: read, scanned, matched with what is there already, appended.
#include <algorithm>
#include <map>
#include <set>

#include "plugins/mail/folder_sync.h"
#include "plugins/mail/imap_errors.h"
#include "plugins/mail/quarantine.h"
#include "plugins/mail/scanner.h"

namespace reprise::mail {

using sdk::Error;

void FolderSync::Copy(std::vector<MessageRow> rows) {
  if (rows.empty()) return;
  if (!largest_known_) largest_ = target_.LargestMessage();
  largest_known_ = true;
  std::vector<InHand> window;
  uint64_t bytes = 0;
  for (MessageRow& row : rows) {
    if (!window.empty() && (window.size() >= options_.window_messages || bytes + row.bytes > options_.window_bytes)) {
      CopyWindow(std::move(window));
      window.clear();
      bytes = 0;
    }
    bytes += row.bytes;
    window.push_back({std::move(row), nullptr});
  }
  CopyWindow(std::move(window));
}

void FolderSync::CopyWindow(std::vector<InHand> window) {
  watch_.check();
  const size_t messages = window.size();
  uint64_t bytes = 0;
  for (const InHand& one : window) bytes += one.row.bytes;
  Read(window);
  Scan(window);
  if (anything_found_) Adopt(window);
  Append(window);
  watch_.moved(messages, bytes);
}

void FolderSync::Read(std::vector<InHand>& window) {
  Suspects& suspects = *options_.suspects;
  std::vector<uint32_t> together, alone;
  std::map<uint32_t, InHand*> by_uid;
  for (InHand& one : window) {
    const std::string* guilty = suspects.Guilty(folder_.id, one.row.uid);
    if ((largest_ && one.row.bytes > *largest_) || guilty != nullptr) {
      one.row.state = MessageState::kFailed;
      one.row.note = guilty != nullptr ? *guilty : "too_large";
      continue;
    }
    (suspects.IsSuspect(folder_.id, one.row.uid) ? alone : together).push_back(one.row.uid);
    by_uid.emplace(one.row.uid, &one);
  }
  ReadSome(together, by_uid);
  for (const uint32_t uid : alone) ReadSome({uid}, by_uid);
  std::vector<InHand> settled;
  for (InHand& one : window) {
    if (one.parcel && one.row.state != MessageState::kFailed) {
      one.row.bytes = one.parcel->bytes();
      one.row.sha256 = one.parcel->Sha256();
    } else {
      // Gone between the listing and the reading, unless it is not given, or was not read at all.
      if (one.row.state == MessageState::kListed) one.row.state = MessageState::kVanished;
      (one.row.state == MessageState::kFailed ? counts_.failed : counts_.vanished) += 1;
      settled.push_back({one.row, nullptr});
      one.parcel.reset();
    }
  }
  std::erase_if(window, [](const InHand& one) { return !one.parcel; });
  if (settled.empty()) return;
  ledger_.Commit([&] {
    for (const InHand& one : settled) Put(one.row);
  });
}

// What ends the session is a suspicion against those that were asked for and did not come.
void FolderSync::ReadSome(const std::vector<uint32_t>& uids, const std::map<uint32_t, InHand*>& by_uid) {
  if (uids.empty()) return;
  std::vector<NotGiven> not_given;
  try {
    not_given = source_.ReadAll(uids, [&](uint32_t uid, std::string_view piece) {
      const auto found = by_uid.find(uid);
      if (found == by_uid.end()) return;
      if (!found->second->parcel) found->second->parcel = std::make_unique<Parcel>(options_.spool);
      found->second->parcel->Add(piece);
    });
  } catch (const Error& error) {
    if (WhetherAgain(error.code()) == Again::kReconnect) {
      for (const uint32_t uid : uids) {
        const InHand& one = *by_uid.at(uid);
        if (uids.size() == 1 || !one.parcel || one.parcel->bytes() < one.row.bytes) options_.suspects->Strike(folder_.id, uid);
      }
    }
    throw;
  }
  for (const NotGiven& one : not_given) {
    options_.suspects->Convict(folder_.id, one.uid, one.why);
    const auto found = by_uid.find(one.uid);
    if (found == by_uid.end()) continue;
    found->second->row.state = MessageState::kFailed;
    found->second->row.note = one.why;
  }
  for (const uint32_t uid : uids) {
    if (by_uid.at(uid)->parcel && by_uid.at(uid)->row.state != MessageState::kFailed) options_.suspects->Acquit(folder_.id, uid);
  }
}

void FolderSync::Scan(std::vector<InHand>& window) {
  if (options_.scanner == nullptr || window.empty()) return;
  std::vector<MessageRow> held;
  for (InHand& one : window) {
    watch_.check();
    const ScanResult result = options_.scanner->Scan(one.parcel->Body());
    if (result.judgement == Judgement::kClean) continue;
    one.row.state = MessageState::kHeld;
    one.row.note = result.judgement == Judgement::kInfected ? "infected" : "not_scanned";
    if (result.judgement == Judgement::kInfected && options_.quarantine != nullptr) {
      options_.quarantine->Keep({one.row.sha256, result.what, options_.box_hash, folder_.source, one.row.uid, one.row.bytes}, one.parcel->Body());
    }
    held.push_back(one.row);
  }
  std::erase_if(window, [](const InHand& one) { return one.row.state == MessageState::kHeld; });
  if (held.empty()) return;
  ledger_.Commit([&] {
    for (const MessageRow& row : held) Put(row);
  });
  counts_.held += held.size();
}

// What is in the target already, from another tool or a ledger that was lost, is not appended again.
void FolderSync::Adopt(std::vector<InHand>& window) {
  std::vector<MessageRow> rows;
  for (const InHand& one : window) rows.push_back(one.row);
  std::vector<FoundRow> found;
  std::map<int64_t, uint32_t> place;
  for (const Pair& pair : MatchFound(rows, found)) place.emplace(pair.row, pair.uid);
  if (place.empty()) return;
  std::vector<MessageRow> adopted;
  for (InHand& one : window) {
    const auto at = place.find(one.row.uid);
    if (at == place.end()) continue;
    one.row.state = MessageState::kCopied;
    one.row.target_uid = at->second;
    one.row.own = false;
    SetFlags(one.row);
    adopted.push_back(one.row);
  }
  std::erase_if(window, [](const InHand& one) { return one.row.state == MessageState::kCopied; });
  ledger_.Commit([&] {
    for (const MessageRow& row : adopted) {
      ledger_.ForgetFound(folder_.id, row.target_uid);
      Put(row);
    }
  });
  counts_.adopted += adopted.size();
  anything_found_ = ledger_.HasFound(folder_.id);
}

void FolderSync::Append(std::vector<InHand>& window) {
  if (window.empty()) return;
  options_.pace(window.size());
  ledger_.Commit([&] {
    for (InHand& one : window) {
      one.row.state = MessageState::kIntended;
      Put(one.row);
    }
    if (options_.scanner == nullptr) ledger_.SetNote(kUnscanned, "yes");
  });
  std::vector<Outgoing> messages;
  for (const InHand& one : window) messages.push_back({{one.row.uid, one.row.bytes, one.row.date, one.row.flags}, one.parcel->Body()});
  // Whatever this throws: all of them stay intended, and are looked for.
  const std::vector<AppendResult> results = target_.AppendAll(folder_.target, messages);
  NoteAppended(window, results);
}

void FolderSync::NoteAppended(std::vector<InHand>& window, const std::vector<AppendResult>& results) {
  FolderRow further = folder_;
  const Error* fatal = nullptr;
  bool unknown = false;
  std::set<uint32_t> told;
  for (size_t i = 0; i < window.size() && i < results.size(); ++i) {
    MessageRow& row = window[i].row;
    const AppendResult& result = results[i];
    if (result.refused) {
      const bool only_this = IsAboutTheMessage(result.refused->code());
      row.state = only_this ? MessageState::kFailed : MessageState::kListed;
      if (only_this) row.note = result.refused->code();
      if (!only_this && fatal == nullptr) fatal = &*result.refused;
    } else if (result.appended.uid == 0) {
      unknown = true;  // It is there, and nobody says where.
    } else if (result.appended.uid_validity != folder_.target_validity) {
      throw Error("renumbered", "the target numbered a folder anew while messages were appended to it", "it is matched anew by the next pass");
    } else if (result.appended.uid < folder_.accounted || !told.insert(result.appended.uid).second ||
               ledger_.RowOfTarget(folder_.id, result.appended.uid)) {
      unknown = true;  // Something else is there, or is said to be.
    } else {
      row.state = MessageState::kCopied;
      row.target_uid = result.appended.uid;
      row.own = true;
      // With a gap there is somebody else's message between: it is to be written down before.
      if (row.target_uid == further.accounted) ++further.accounted;
    }
  }
  ledger_.Commit([&] {
    for (const InHand& one : window) {
      if (one.row.state != MessageState::kIntended) Put(one.row);
    }
    ledger_.UpdateFolder(further);
  });
  folder_ = further;
  for (const InHand& one : window) {
    counts_.copied += one.row.state == MessageState::kCopied;
    counts_.bytes += one.row.state == MessageState::kCopied ? one.row.bytes : 0;
    counts_.failed += one.row.state == MessageState::kFailed;
  }
  if (fatal != nullptr) throw Error(*fatal);
  if (!unknown) return;
  // The target does not say which UIDs it gave: it is asked.
  Account();
  Settle();
}

}  // namespace reprise::mail
