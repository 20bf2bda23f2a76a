// A reader with a fault on purpose: it cannot bear a number past 32 bits. Shows that a fault is found, kept and replayed.
#include <cctype>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  size_t digits = 0;
  bool after_space = false;
  for (size_t i = 0; i < size; ++i) {
    if (std::isdigit(data[i]) == 0) {
      after_space = data[i] == ' ';
      digits = 0;
    } else if (after_space) {
      reprise::fuzz::Check(++digits < 11, "a number has at most ten digits");
    }
  }
  return 0;
}
