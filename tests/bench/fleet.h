// Thousands of agents in one process, for measuring the coordinator: real host certificates, one real connection each,
// heartbeats, facts, and answers at once to everything. Not agents: they check no signature, keep no spool and run no
// plugin.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/identities.h"

namespace reprise::bench {

struct FleetOptions {
  std::string address;
  uint32_t hosts = 0;             // The first of the folder.
  uint32_t connecting_max = 128;  // Handshakes under way at once: a site's agents come back spread over time, too.
  int timeout_s = 60;             // Without any progress: give up.
};

struct WorkReport {
  uint64_t round_trips = 0;  // Task received, outcome sent, acknowledgement received.
  double seconds = 0;        // From the first task received to the last acknowledgement.
  double p50_ms = 0;         // Of one round trip.
  double p99_ms = 0;
  uint64_t task_bytes = 0;        // Of a task without its plan's authority.
  uint64_t first_task_bytes = 0;  // With it.
  uint64_t messages_in = 0;       // Batches received: how well the other side packs.
};

class Fleet {
 public:
  struct Impl;

  // Connects all; those that are not welcomed in time are missing from connected().
  // NOT_FOUND: fewer identities than hosts.
  static absl::StatusOr<std::unique_ptr<Fleet>> Connect(const IdentityFolder& identities, const FleetOptions& options);
  ~Fleet();

  uint32_t connected() const;       // Streams that are open and welcomed now.
  std::string first_fault() const;  // Why the first of the others ended; empty: none did.
  double connect_seconds() const;   // From the first connection begun to the last welcome.

  // Forgets what was counted; then tasks may come.
  void BeginWork();
  // Until so many acknowledgements came since, or nothing at all happened for too long.
  WorkReport AwaitWork(uint64_t round_trips);

 private:
  explicit Fleet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reprise::bench
