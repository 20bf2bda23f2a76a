// Bytes of every kind, the same ones on every machine: for what must hold for whatever comes.
#pragma once

#include <cstdint>
#include <string>

namespace reprise {

class AnyBytes {
 public:
  std::string Next(size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
      state_ = state_ * 1664525 + 1013904223;
      bytes.push_back(static_cast<char>(state_ >> 24));
    }
    return bytes;
  }

 private:
  uint32_t state_ = 1;
};

}  // namespace reprise
