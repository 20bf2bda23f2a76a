// Proves a journal file whole, with nothing but the file: no coordinator, no key, no network. What it cannot prove is that
// the end was not cut off, together with everything after it: compare the head with the one that was written on paper.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"

namespace reprise::journal {

struct VerifyOptions {
  // Folds every event with the real engine and compares with the snapshots: the history is legal, not only unbroken.
  bool refold = true;
  // Events looked at, and all of them; called now and then.
  std::function<void(uint64_t, uint64_t)> progress;
};

struct Fault {
  uint64_t sequence = 0;  // 0: not of one event.
  std::string what;
};

struct VerifyReport {
  uint64_t events = 0;
  std::string head;             // Hex.
  UnixMs first = 0;             // Of the first and the last event; 0 when there is none.
  UnixMs last = 0;
  uint32_t snapshots = 0;
  bool refolded = false;
  std::string state_sha256;     // Hex, of the state at the end; empty unless refolded to the end.
  std::vector<Fault> faults;    // At most kFaultsMax.

  bool ok() const { return faults.empty(); }
};

inline constexpr size_t kFaultsMax = 100;

// An error only when the file cannot be read as a journal at all; what is wrong inside it stands in the report.
absl::StatusOr<VerifyReport> VerifyJournal(const std::filesystem::path& path, const VerifyOptions& options);

}  // namespace reprise::journal
