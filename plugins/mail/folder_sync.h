// One folder, one pass: what is in the source and not in the target is copied, changed flags are changed, what vanished is told.
//
//   account   every message of the target is the ledger's, or is written down as found; what was appended is where it is said to be
//   settle    what was intended is looked for among the found ones, by bytes, date and hash; what is not there is copied again
//   compare   the source against the ledger, window by window of UIDs
//   copy      windows of messages: read, scanned, hashed; intent durable; appended; their UIDs durable
//
// May be ended by an exception at any line, and be run again over the same ledger.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "plugins/mail/ledger.h"
#include "plugins/mail/migration_options.h"
#include "plugins/mail/migration_parcel.h"
#include "plugins/mail/store.h"

namespace reprise::mail {

// A message that was copied and is no more in the source.
struct Vanished {
  int64_t folder = 0;
  uint32_t uid = 0;
};

class FolderSync {
 public:
  FolderSync(Source& source, Target& target, Ledger& ledger, const MoveOptions& options, const Watch& watch, FolderRow folder, MoveCounts& counts)
      : source_(source), target_(target), ledger_(ledger), options_(options), watch_(watch), folder_(std::move(folder)), counts_(counts) {}

  // Messages that vanished are added to `vanished`; nothing is removed.
  void Run(std::vector<Vanished>& vanished);
  // Only accounts and settles: for a folder that the source has no more.
  void SettleAlone();
  const FolderRow& folder() const { return folder_; }

 private:
  struct InHand {
    MessageRow row;
    std::unique_ptr<Parcel> parcel;  // None: it was no more in the source.
  };

  // A row, and what the target has at its place instead.
  struct Odd {
    MessageRow row;
    std::optional<Candidate> there;
  };

  void Account();
  void LookForOdd(uint32_t first, uint32_t last, const std::map<uint32_t, Listed>& there, std::vector<Odd>& odd);
  void PutRight(std::vector<Odd>& odd);
  void LookForLost();
  // Of those that the target gives.
  std::map<uint32_t, std::string> HashesOf(const std::vector<uint32_t>& uids);
  void Settle();
  void SettleSome(std::vector<MessageRow> rows, bool dated);
  void RemoveTwins();
  void Hash(std::vector<FoundRow>& found, const std::vector<uint32_t>& uids);
  // Not `dated`: among those that came since this ledger began, whatever date the target tells of them.
  std::vector<Pair> MatchFound(const std::vector<MessageRow>& rows, std::vector<FoundRow>& found, bool dated = true);

  void OpenSource();
  // How many the source has there.
  size_t Compare(uint32_t first, uint32_t last, std::vector<Vanished>& vanished);
  bool SetFlags(const MessageRow& row);
  void ChangeFlags(const std::vector<MessageRow>& rows);

  void Copy(std::vector<MessageRow> rows);
  void CopyWindow(std::vector<InHand> window);
  void Read(std::vector<InHand>& window);
  void ReadSome(const std::vector<uint32_t>& uids, const std::map<uint32_t, InHand*>& by_uid);
  void Scan(std::vector<InHand>& window);
  void Adopt(std::vector<InHand>& window);
  void Append(std::vector<InHand>& window);
  void NoteAppended(std::vector<InHand>& window, const std::vector<AppendResult>& results);
  void Put(const MessageRow& row) { ledger_.Put(folder_.id, row); }

  Source& source_;
  Target& target_;
  Ledger& ledger_;
  const MoveOptions& options_;
  const Watch& watch_;
  FolderRow folder_;
  MoveCounts& counts_;
  uint32_t source_next_ = 0;       // 0: the source does not say.
  bool anything_found_ = false;    // In the target, nobody's.
  std::optional<uint64_t> largest_;
  bool largest_known_ = false;
};

}  // namespace reprise::mail
