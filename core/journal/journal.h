// The durable, hash-chained log of events. The seam that tests, SQLite and (later) PostgreSQL stand behind.
// Not thread-safe: one owner.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "reprise/journal/v1/event.pb.h"

namespace reprise::journal {

// hash(n) = SHA-256(hash(n-1) || n as 8 bytes big-endian || payload); hash(0) is 32 zero bytes.
std::string ChainHash(std::string_view previous, uint64_t sequence, std::string_view payload);

// What to do with a file that is damaged: the end of every message that says so.
inline constexpr char kDamagedWayOut[] =
    ". Keep this file, look at it with `reprise journal verify`, and restore the coordinator's folder from a copy";

struct Record {
  uint64_t sequence = 0;   // From 1, without gaps.
  std::string hash;        // 32 bytes
  std::string payload;     // A serialized journal.v1.Event
};

struct Snapshot {
  uint64_t sequence = 0;   // The last event folded into it.
  std::string state;       // Engine::Snapshot()
};

class Journal {
 public:
  virtual ~Journal() = default;

  // All or nothing, durable on return. RESOURCE_EXHAUSTED: the disk is full; UNAVAILABLE: another fault,
  // also an event that could not be read back.
  virtual absl::Status Append(const std::vector<v1::Event>& events) = 0;
  // Calls `visit` for each record from `from` on, oldest first, until the end or an error, which it returns.
  virtual absl::Status Read(uint64_t from, const std::function<absl::Status(const Record&)>& visit) = 0;
  virtual uint64_t LastSequence() const = 0;
  virtual std::string Head() const = 0;   // Hash of the last record; 32 zero bytes when empty.

  virtual absl::Status SaveSnapshot(const Snapshot& snapshot) = 0;
  // The newest. NOT_FOUND when there is none.
  virtual absl::StatusOr<Snapshot> LoadSnapshot() = 0;
};

}  // namespace reprise::journal
