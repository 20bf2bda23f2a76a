// A spool in one SQLite file. Each record carries the hash of itself and of all before it, so that a damaged or missing
// one is named when the file is opened, and never folded into a state that is nearly right.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/spool/spool.h"
#include "core/sqlite/database.h"

namespace reprise::spool {

class SqliteSpool final : public Spool {
 public:
  struct Opened;
  // NOT_FOUND: no such file. DATA_LOSS: damaged, or made by a newer version; the message says what to do.
  static absl::StatusOr<Opened> Open(const std::filesystem::path& path);
  // An empty one if there is none.
  static absl::StatusOr<Opened> OpenOrCreate(const std::filesystem::path& path);
  // Looks only; beside a running agent too.
  static absl::StatusOr<std::vector<agent::v1::SpoolRecord>> ReadOnly(const std::filesystem::path& path);

  absl::Status Append(const std::vector<agent::v1::SpoolRecord>& records) override;
  absl::Status Replace(const std::vector<agent::v1::SpoolRecord>& records) override;
  size_t Count() const override { return count_; }

 private:
  SqliteSpool(sqlite::Database database, sqlite::Statement insert)
      : database_(std::move(database)), insert_(std::move(insert)) {}
  static absl::StatusOr<Opened> Prepare(sqlite::Database database);
  // REQUIRES: inside a transaction. Moves `hash` and `sequence` on.
  absl::Status Insert(const std::vector<agent::v1::SpoolRecord>& records, std::string* hash, int64_t* sequence);

  sqlite::Database database_;
  sqlite::Statement insert_;
  std::string hash_;
  int64_t sequence_ = 0;
  size_t count_ = 0;
};

struct SqliteSpool::Opened {
  std::unique_ptr<SqliteSpool> spool;
  std::vector<agent::v1::SpoolRecord> records;
};

}  // namespace reprise::spool
