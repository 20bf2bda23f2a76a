#include "tests/fuzz/same_keys.h"

#include <sodium.h>

#include <cstdint>

namespace reprise::fuzz {
namespace {

// SplitMix64 from a fixed start.
uint64_t NextNumber() {
  static uint64_t state = 0x5265707269736521;
  uint64_t z = (state += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

void Fill(void* const bytes, const size_t count) {
  for (size_t i = 0; i < count; ++i) static_cast<unsigned char*>(bytes)[i] = static_cast<unsigned char>(NextNumber());
}

}  // namespace

void DrawTheSameKeys() {
  static randombytes_implementation counter = {
      .implementation_name = [] { return "counter"; },
      .random = [] { return static_cast<uint32_t>(NextNumber()); },
      .stir = nullptr,
      .uniform = nullptr,
      .buf = Fill,
      .close = nullptr,
  };
  randombytes_set_implementation(&counter);
}

}  // namespace reprise::fuzz
