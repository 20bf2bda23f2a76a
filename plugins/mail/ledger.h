// What is known about one mailbox's move, on disk: each message of the source, what became of it, and where it is in the target.
// It is why a message is in the target exactly once: what is about to be appended is written down before, what was
// appended afterwards, and what stands between the two is looked for. No name and no content is in it, but folders' names.
//
// Not thread-safe: one owner. A commit is durable when it returns.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/mail/ledger_database.h"
#include "plugins/mail/matching.h"
#include "plugins/mail/store.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/params.h"

namespace reprise::mail {

enum class MessageState {
  kListed,    // In the source; not in the target.
  kIntended,  // Was about to be appended. Whether it was, is to be found out.
  kCopied,    // In the target, under a known UID.
  kVerified,  // Copied, and read on both sides.
  kHeld,      // Not appended: infected, or not scanned.
  kFailed,    // The target does not take it: too large, malformed.
  kVanished,  // No more in the source.
};
inline constexpr std::array<std::string_view, 7> kMessageStates = {"listed", "intended", "copied", "verified", "held", "failed", "vanished"};
inline std::string_view NameOf(MessageState state) { return kMessageStates[static_cast<size_t>(state)]; }

struct MessageRow {
  uint32_t uid = 0;  // In the source.
  MessageState state = MessageState::kListed;
  uint64_t bytes = 0;  // As listed; as read, once it was.
  InternalDate date;
  std::vector<std::string> flags;  // As the target has them; of one not yet copied: as listed.
  std::string sha256;              // Empty until it was read.
  uint32_t target_uid = 0;
  bool own = false;   // Appended by this ledger, as far as anyone can tell: may be removed when it vanishes in the source.
  std::string note;   // Why it is held or failed: a code; or kAgain, kKept.

  bool is_there() const { return state == MessageState::kCopied || state == MessageState::kVerified; }
};

// Of a row that was intended and not found: it is appended again, and its first append might still come.
inline constexpr const char* kAgain = "again";
// A ledger's own note, once a message was appended that no scanner had looked into.
inline constexpr const char* kUnscanned = "unscanned";
// Of one that vanished in the source and is left in the target.
inline constexpr const char* kKept = "kept";

struct FolderRow {
  int64_t id = 0;
  FolderPath source, target;
  uint32_t source_validity = 0, target_validity = 0;  // 0: never opened.
  uint32_t accounted = 1;  // Each message of the target below this UID is in the ledger: as a row's, or as a found one.
  uint32_t own_from = 0;   // What is in the target from here on came after this ledger began.
  uint32_t checked = 1;    // Below this UID what is there was once found to be what was told. Not above `accounted`.
};

// A message of the target that is nobody's: of another tool, of a lost ledger, of an append that nobody answered.
struct FoundRow {
  Candidate message;
  bool own = false;
};

class Ledger {
 public:
  // Made if there is none. Throws Error "in_use" while another has it.
  static Ledger OpenToWrite(const std::filesystem::path& path);
  // Nothing if there is none.
  static std::optional<Ledger> OpenToRead(const std::filesystem::path& path, const std::filesystem::path& scratch);

  // All of `work` or nothing.
  void Commit(const std::function<void()>& work);
  // Called before and after each commit. For tests that end there.
  std::function<void()> at_commit;

  std::optional<std::string> Note(std::string_view key) const;
  void SetNote(std::string_view key, std::string_view value);

  // Of the source, which the target cannot have.
  std::vector<FolderPath> RefusedFolders() const;
  void SetRefusedFolders(const std::vector<FolderPath>& paths);

  std::vector<FolderRow> Folders() const;
  // With its id.
  FolderRow AddFolder(FolderRow folder);
  void UpdateFolder(const FolderRow& folder);

  // Rows with first <= uid <= last, by UID. ONE folder's.
  std::vector<MessageRow> Rows(int64_t folder, uint32_t first, uint32_t last) const;
  // The first `many` with uid > after.
  std::vector<MessageRow> Page(int64_t folder, uint32_t after, size_t many) const;
  // Those that were appended again because an append before it was not found: that one may still come.
  std::vector<MessageRow> Again(int64_t folder) const;
  // The first `many` that are held or failed.
  std::vector<MessageRow> Troubled(int64_t folder, size_t many) const;
  // The first `many` with uid > after that are intended.
  std::vector<MessageRow> Intended(int64_t folder, uint32_t after, size_t many) const;
  void Put(int64_t folder, const MessageRow& row);
  // Target UIDs from `first` to `last` that the ledger knows: rows' and found ones', rising.
  std::vector<uint32_t> KnownTargets(int64_t folder, uint32_t first, uint32_t last) const;
  // Rows whose place in the target is from `first` to `last`, by that place.
  std::vector<MessageRow> RowsAt(int64_t folder, uint32_t first, uint32_t last) const;
  // The target did not put it where it said: it is looked for again.
  void Misplaced(int64_t folder, const MessageRow& row);
  // Source UID of the row that has this target UID.
  std::optional<uint32_t> RowOfTarget(int64_t folder, uint32_t target_uid) const;
  // The target has lost it: the row is listed again, or the found one forgotten.
  void TargetLost(int64_t folder, uint32_t target_uid);
  uint64_t KnownTargetCount(int64_t folder) const;
  bool HasFound(int64_t folder) const;

  void AddFound(int64_t folder, const FoundRow& found);
  std::vector<FoundRow> Found(int64_t folder, uint64_t bytes, int64_t unix_seconds) const;
  // Own ones, of any date.
  std::vector<FoundRow> FoundOwn(int64_t folder, uint64_t bytes) const;
  std::vector<FoundRow> FoundBetween(int64_t folder, uint32_t first, uint32_t last) const;
  void SetFoundHash(int64_t folder, uint32_t uid, const std::string& sha256);
  void ForgetFound(int64_t folder, uint32_t uid);

  // The source numbers anew: what was copied becomes found, with its hash; the rows go.
  void SourceRenumbered(const FolderRow& folder);
  // The target numbers anew: what was copied is intended again; found ones go.
  void TargetRenumbered(const FolderRow& folder);

  // All that is copied was read on both sides.
  void MarkVerified();

  struct Tally {
    uint64_t messages = 0, bytes = 0;
  };
  // Over all folders, by state; each state is there.
  std::array<Tally, kMessageStates.size()> Tallies() const;
  // Why messages are held or failed: code -> how many.
  std::map<std::string, uint64_t> Notes(MessageState state) const;

 private:
  explicit Ledger(Database database) : database_(std::move(database)) {}
  static MessageRow RowOf(const Statement& statement);
  // All that the query has still to give.
  static std::vector<MessageRow> RowsOf(Statement& found);

  sdk::Fd lock_;
  mutable Database database_;
};

}  // namespace reprise::mail
