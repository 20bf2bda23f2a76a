#include "core/journal/journal_reader.h"

#include <utility>

#include "core/base/status_macros.h"
#include "core/journal/schema.h"

namespace reprise::journal {

absl::StatusOr<JournalReader> JournalReader::Open(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path, sqlite::Database::Mode::kReadOnly));
  RETURN_IF_ERROR(internal::CheckKind(database));
  return JournalReader(std::move(database));
}

absl::Status JournalReader::Read(uint64_t from, const std::function<absl::Status(const Record&)>& visit) {
  return internal::ReadRecords(database_, from, visit);
}

}  // namespace reprise::journal
