// The journal as one SQLite file: WAL, each append one transaction that is synced before it returns. Beside it stands
// `<file>.lock`, held by the one coordinator that writes.
#pragma once

#include <filesystem>
#include <memory>

#include "core/journal/journal.h"
#include "core/sqlite/database.h"

namespace reprise::journal {

class SqliteJournal final : public Journal {
 public:
  // A new one, empty. ALREADY_EXISTS.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Create(const std::filesystem::path& path);
  // NOT_FOUND; FAILED_PRECONDITION: another coordinator writes it, or it is no journal of this version; DATA_LOSS.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(const std::filesystem::path& path);
  ~SqliteJournal() override;

  absl::Status Append(const std::vector<v1::Event>& events) override;
  absl::Status Read(uint64_t from, const std::function<absl::Status(const Record&)>& visit) override;
  uint64_t LastSequence() const override { return sequence_; }
  std::string Head() const override { return head_; }

  absl::Status SaveSnapshot(const Snapshot& snapshot) override;
  // One whose bytes or place in the chain do not fit is passed over: the events say the same.
  absl::StatusOr<Snapshot> LoadSnapshot() override;

 private:
  class Lock;
  SqliteJournal(std::unique_ptr<Lock> lock, sqlite::Database database, sqlite::Statement insert);
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Start(std::unique_ptr<Lock> lock, sqlite::Database database);

  std::unique_ptr<Lock> lock_;
  sqlite::Database database_;
  sqlite::Statement insert_;
  uint64_t sequence_ = 0;
  std::string head_;
};

}  // namespace reprise::journal
