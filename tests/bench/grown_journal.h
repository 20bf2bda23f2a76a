// A journal as a rebuild leaves it behind: run after run on a thousand hosts, decided by the real engine, kept by the
// real journal, with agents that succeed at once.
#pragma once

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"

namespace reprise::bench {

struct GrowOptions {
  std::filesystem::path journal;  // A new file.
  uint64_t events = 1'000'000;
  uint32_t hosts = 1'000;
  uint32_t steps = 16;               // Of each run.
  uint64_t after_snapshot = 25'000;  // Events since the last snapshot: half of what a coordinator leaves at most.
};

struct Grown {
  uint64_t events = 0;
  uint64_t runs = 0;
  uint64_t snapshot_bytes = 0;
  double engine_seconds = 0;  // Deciding alone: what the engine could do if nothing stood around it.
  double seconds = 0;         // With the commits.
};

absl::StatusOr<Grown> GrowJournal(const GrowOptions& options);

}  // namespace reprise::bench
