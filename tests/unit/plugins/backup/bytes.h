// Bytes for tests of the judge: random ones (seeded), text, and what stands in between.
#pragma once

#include <random>
#include <string>

namespace reprise::backup::testing {

inline std::string RandomBytes(size_t count, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator());
  return bytes;
}

inline std::string Prose(size_t count) {
  std::string text;
  for (int i = 0; text.size() < count; ++i)
    text += "ligne " + std::to_string(i * 7919) + " : relève de nuit, service de réanimation.\n";
  text.resize(text.rfind('\n', count) + 1);
  return text;
}

// Every other `run` bytes from another text.
inline std::string Striped(std::string text, size_t run, unsigned seed = 2) {
  const std::string noise = RandomBytes(text.size(), seed);
  for (size_t i = 0; i < text.size(); ++i) {
    if (i / run % 2 == 0) text[i] = noise[i];
  }
  return text;
}

}  // namespace reprise::backup::testing
