#include "core/journal/schema.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/crypto/sha256.h"

namespace reprise::journal::internal {
namespace {

absl::Status Damaged(const sqlite::Database& database, uint64_t sequence, const char* what) {
  return absl::DataLossError(
      absl::StrCat(database.path().string(), ": event ", sequence, " ", what, kDamagedWayOut));
}

}  // namespace

absl::Status CreateSchema(sqlite::Database& database) {
  return database.Transaction([&] {
    RETURN_IF_ERROR(database.Execute(
        "CREATE TABLE event(sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL, hash BLOB NOT NULL)"));
    RETURN_IF_ERROR(database.Execute(
        "CREATE TABLE snapshot(sequence INTEGER PRIMARY KEY, head BLOB NOT NULL, state BLOB NOT NULL, "
        "state_sha256 BLOB NOT NULL)"));
    RETURN_IF_ERROR(database.Execute(absl::StrCat("PRAGMA application_id=", kApplicationId)));
    return database.Execute(absl::StrCat("PRAGMA user_version=", kVersion));
  });
}

absl::Status CheckKind(sqlite::Database& database) {
  ASSIGN_OR_RETURN(const int64_t id, database.Number("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t version, database.Number("PRAGMA user_version"));
  if (id != kApplicationId) {
    return absl::FailedPreconditionError(
        absl::StrCat(database.path().string(), ": is not a coordinator's journal; expected the file journal.db"));
  }
  if (version != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(database.path().string(), ": journal of version ", version,
                                                      "; this program reads version ", kVersion,
                                                      ". Use the version of Reprise that wrote it"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> HashBefore(sqlite::Database& database, uint64_t from) {
  if (from <= 1) return std::string(crypto::kSha256Size, '\0');
  ASSIGN_OR_RETURN(auto select, database.Prepare("SELECT hash FROM event WHERE sequence = ?"));
  select.Bind(1, static_cast<int64_t>(from - 1));
  ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return Damaged(database, from - 1, "is missing");
  return select.Blob(0);
}

absl::StatusOr<Tail> ReadTail(sqlite::Database& database) {
  ASSIGN_OR_RETURN(const int64_t last, database.Number("SELECT ifnull(max(sequence), 0) FROM event"));
  Tail tail;
  tail.head = std::string(crypto::kSha256Size, '\0');
  if (last == 0) return tail;
  tail.sequence = static_cast<uint64_t>(last);
  RETURN_IF_ERROR(ReadRecords(database, tail.sequence, [&](const Record& record) {
    tail.head = record.hash;
    return absl::OkStatus();
  }));
  return tail;
}

absl::Status ReadRecords(sqlite::Database& database, uint64_t from,
                         const std::function<absl::Status(const Record&)>& visit) {
  if (from == 0) from = 1;
  ASSIGN_OR_RETURN(auto select, database.Prepare("SELECT sequence, payload, hash FROM event WHERE sequence >= ? "
                                                 "ORDER BY sequence"));
  select.Bind(1, static_cast<int64_t>(from));
  std::string previous;
  for (uint64_t expected = from;; ++expected) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    Record record{static_cast<uint64_t>(select.Int(0)), select.Blob(2), select.Blob(1)};
    if (record.sequence != expected) return Damaged(database, expected, "is missing");
    if (expected == from) {
      ASSIGN_OR_RETURN(previous, HashBefore(database, from));
    }
    if (record.hash != ChainHash(previous, record.sequence, record.payload)) {
      return Damaged(database, expected, "is not what was written: the chain of hashes is broken there");
    }
    previous = record.hash;
    RETURN_IF_ERROR(visit(record));
  }
}

absl::StatusOr<std::vector<StoredSnapshot>> ReadSnapshots(sqlite::Database& database) {
  ASSIGN_OR_RETURN(auto select, database.Prepare("SELECT sequence, head, state, state_sha256 FROM snapshot "
                                                 "ORDER BY sequence DESC"));
  std::vector<StoredSnapshot> snapshots;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return snapshots;
    snapshots.push_back(
        {{static_cast<uint64_t>(select.Int(0)), select.Blob(2)}, select.Blob(1), select.Blob(3)});
  }
}

}  // namespace reprise::journal::internal
