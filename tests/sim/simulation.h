// One whole hospital from one seed: a real coordinator engine, real agent engines, real signatures, in virtual time.
// First with faults, then without, when everything must come to its end.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/faults.h"

namespace reprise::sim {

struct Outcome {
  std::string complaint;   // Empty: nothing happened that must not happen, and everything ended.
  std::string trace_hash;  // Of all that happened; the same for the same seed.
  uint64_t steps = 0;
  uint64_t events = 0;
  uint64_t outcomes = 0;
  uint64_t effects = 0;
  int64_t simulated_ms = 0;
  int64_t settled_ms = 0;                  // From the end of the faults to the end of all work.
  std::map<std::string, uint64_t> faults;  // By kind.
  std::map<std::string, uint64_t> runs;    // By the state in which they ended.
  std::vector<std::string> journal;        // The payloads, in order.
};

Outcome Simulate(uint64_t seed, const Bugs& bugs = {}, bool verbose = false);

}  // namespace reprise::sim
