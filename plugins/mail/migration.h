// One mailbox, one pass: its folders made, each synchronised, what vanished followed. Repeating it is a delta. Reads no clock, starts no
// thread; may be ended by an exception at any line and be run again.
#pragma once

#include <vector>

#include "plugins/mail/folder_sync.h"
#include "plugins/mail/migration_folders.h"

namespace reprise::mail {

class Migration {
 public:
  Migration(Source& source, Target& target, Ledger& ledger, const MoveOptions& options, const Watch& watch)
      : source_(source), target_(target), ledger_(ledger), options_(options), watch_(watch) {}

  MoveCounts Pass();
  // In the last pass more vanished than is followed unasked.
  bool many_vanished() const { return many_vanished_; }

 private:
  std::vector<FolderRow> MakeFolders();
  bool Made(const Folder& folder);
  void Follow(const std::vector<Vanished>& vanished);
  void FollowIn(const FolderRow& folder, const std::vector<uint32_t>& uids);
  void RemoveSome(const FolderRow& folder, std::vector<MessageRow>& rows);

  Source& source_;
  Target& target_;
  Ledger& ledger_;
  const MoveOptions& options_;
  const Watch& watch_;
  MoveCounts counts_;
  std::vector<FolderRow> gone_;  // The source has them no more.
  bool many_vanished_ = false;
};

// More than this, of so many that are there, is not users cleaning up: a source that dies looks like that.
inline uint64_t VanishedMax(uint64_t there) { return std::max<uint64_t>(50, there / 10); }

}  // namespace reprise::mail
