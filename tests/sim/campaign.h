// Many simulations, one seed after the other, and what they add up to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/simulation.h"

namespace reprise::sim {

struct Campaign {
  uint64_t first_seed = 0;
  uint64_t seeds = 0;
  uint64_t checked_twice = 0;  // Run again, to see that the same happens.
  std::vector<std::pair<uint64_t, std::string>> failed;
  uint64_t steps = 0;
  uint64_t events = 0;
  uint64_t outcomes = 0;
  uint64_t effects = 0;
  int64_t simulated_ms = 0;
  int64_t settled_ms_max = 0;
  uint64_t slowest_seed = 0;
  std::map<std::string, uint64_t> faults;
  std::map<std::string, uint64_t> runs;

  // Runs the next seed, and now and then the same once more.
  void RunNext(bool verbose);
  std::string Json(double seconds) const;
  std::string Text() const;
};

}  // namespace reprise::sim
