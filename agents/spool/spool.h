// The agent's durable memory: the records that its engine is the fold of, in the order in which they were made.
// It stores and gives back; it understands none of them. Not thread-safe: one owner.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "reprise/agent/v1/spool.pb.h"

namespace reprise::spool {

class Spool {
 public:
  virtual ~Spool() = default;

  // All or nothing, durable on return. RESOURCE_EXHAUSTED: the disk is full; UNAVAILABLE: another fault. In both cases
  // nothing was added, and the same call may be tried again.
  virtual absl::Status Append(const std::vector<agent::v1::SpoolRecord>& records) = 0;
  // Puts these in the place of all; as durable and as whole. For compaction.
  virtual absl::Status Replace(const std::vector<agent::v1::SpoolRecord>& records) = 0;
  virtual size_t Count() const = 0;
};

}  // namespace reprise::spool
