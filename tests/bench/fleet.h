// A thousand agents in one process, for measuring the coordinator: real host certificates, one real connection each, and
// answers at once to everything. Not agents: they check no signature, keep no spool and run no plugin.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise::bench {

// DIR/ca.crt, DIR/<host>.crt and DIR/<host>.key, PEM.
struct IdentityFolder {
  std::filesystem::path path;

  // Enrols each host with its one-time code, as `reprise-agent join` would. `codes`: one join code each.
  absl::Status Join(const std::string& join_address, const std::vector<std::string>& codes) const;
  std::vector<std::string> Hosts() const;
};

struct FleetReport {
  uint32_t connected = 0;
  double connect_seconds = 0;    // From the first connection begun to the last Welcome.
  uint64_t round_trips = 0;      // Task received, outcome sent, acknowledgement received.
  double work_seconds = 0;       // From the first task received to the last acknowledgement.
  uint64_t task_bytes = 0;       // Of a task without its plan's authority.
  uint64_t first_task_bytes = 0; // With it.
};

class Fleet {
 public:
  struct Impl;

  // Connects all; gives up on those that are not welcomed in time. NOT_FOUND: no identities.
  static absl::StatusOr<std::unique_ptr<Fleet>> Connect(const std::string& address, const IdentityFolder& identities,
                                                        uint32_t hosts, int timeout_s);
  ~Fleet();

  // Until `round_trips` acknowledgements came, or nothing at all happened for `timeout_s`.
  FleetReport Work(uint64_t round_trips, int timeout_s);

 private:
  explicit Fleet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reprise::bench
