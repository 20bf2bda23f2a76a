// What stands in a journal file, and the reading that its writer, its readers and its verifier share.
//
//   event(sequence, payload, hash)                 one row per event, from 1 without gaps
//   snapshot(sequence, head, state, state_sha256)  the fold of events 1..sequence; the newest two are kept
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/journal/journal.h"
#include "core/sqlite/database.h"

namespace reprise::journal::internal {

inline constexpr int64_t kApplicationId = 0x52505352;  // "RPSR"
inline constexpr int64_t kVersion = 1;

absl::Status CreateSchema(sqlite::Database& database);
// FAILED_PRECONDITION: a file of another program, or of a newer version of this one.
absl::Status CheckKind(sqlite::Database& database);

struct Tail {
  uint64_t sequence = 0;
  std::string head;  // 32 bytes
};
// The last record, its own hash checked. DATA_LOSS.
absl::StatusOr<Tail> ReadTail(sqlite::Database& database);

// DATA_LOSS names the first record that is missing or not what was written; what `visit` returns ends the reading too.
absl::Status ReadRecords(sqlite::Database& database, uint64_t from,
                         const std::function<absl::Status(const Record&)>& visit);

struct StoredSnapshot {
  Snapshot snapshot;
  std::string head;          // The chain's hash at its sequence.
  std::string state_sha256;
};
// Newest first, as stored: nothing is checked.
absl::StatusOr<std::vector<StoredSnapshot>> ReadSnapshots(sqlite::Database& database);

// Hash of the record before `from`; 32 zero bytes for the first. DATA_LOSS: it is not there.
absl::StatusOr<std::string> HashBefore(sqlite::Database& database, uint64_t from);

}  // namespace reprise::journal::internal
