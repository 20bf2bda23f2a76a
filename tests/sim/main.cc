// sim [--seed N] [--runs N] [--verbose]: runs simulations from the seed on; 1 when one finds fault.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "tests/sim/simulation.h"

namespace {

bool ReadNumber(const char* text, uint64_t* number) {
  const char* end = text + std::strlen(text);
  const auto read = std::from_chars(text, end, *number);
  return read.ec == std::errc() && read.ptr == end;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t seed = 1, runs = 1;
  bool verbose = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    uint64_t* number = flag == "--seed" ? &seed : flag == "--runs" ? &runs : nullptr;
    if (flag == "--verbose") {
      verbose = true;
    } else if (number == nullptr || i + 1 == argc || !ReadNumber(argv[++i], number)) {
      std::fprintf(stderr, "usage: sim [--seed N] [--runs N] [--verbose]\n");
      return 2;
    }
  }
  std::printf("seed %llu, runs %llu\n", static_cast<unsigned long long>(seed), static_cast<unsigned long long>(runs));
  unsigned long long failed = 0, steps = 0, events = 0, outcomes = 0, effects = 0;
  for (uint64_t i = 0; i < runs; ++i) {
    const reprise::sim::Outcome outcome = reprise::sim::Simulate(seed + i, {}, verbose);
    steps += outcome.steps;
    events += outcome.events;
    outcomes += outcome.outcomes;
    effects += outcome.effects;
    if (runs == 1) std::printf("trace %s\n", outcome.trace_hash.c_str());
    if (outcome.complaint.empty()) continue;
    failed += 1;
    std::printf("FAILED seed %llu: %s\n", static_cast<unsigned long long>(seed + i), outcome.complaint.c_str());
  }
  std::printf("%llu of %llu failed; %llu steps, %llu journal events, %llu outcomes, %llu effects\n", failed,
              static_cast<unsigned long long>(runs), steps, events, outcomes, effects);
  return failed == 0 ? 0 : 1;
}
