// One whole hospital from one seed: a real coordinator engine, real agent engines, real signatures, in virtual time.
// First with faults, then without, when everything must come to its end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/faults.h"

namespace reprise::sim {

struct Outcome {
  std::string complaint;   // Empty: nothing happened that must not happen, and everything ended.
  std::string trace_hash;  // The same for the same seed.
  uint64_t steps = 0;
  uint64_t events = 0;
  uint64_t outcomes = 0;
  uint64_t effects = 0;
  std::vector<std::string> journal;  // The payloads, in order.
};

Outcome Simulate(uint64_t seed, const Bugs& bugs = {}, bool verbose = false);

}  // namespace reprise::sim
