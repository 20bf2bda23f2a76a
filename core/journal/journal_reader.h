// Reads a journal file while a coordinator may be writing it. Any number of readers, each in one thread.
#pragma once

#include <filesystem>

#include "core/journal/journal.h"
#include "core/sqlite/database.h"

namespace reprise::journal {

class JournalReader {
 public:
  // NOT_FOUND; FAILED_PRECONDITION: not a journal of this version; DATA_LOSS: not a database.
  static absl::StatusOr<JournalReader> Open(const std::filesystem::path& path);

  // As Journal::Read; sees what was committed when it begins.
  absl::Status Read(uint64_t from, const std::function<absl::Status(const Record&)>& visit);

 private:
  explicit JournalReader(sqlite::Database database) : database_(std::move(database)) {}
  sqlite::Database database_;
};

}  // namespace reprise::journal
