// The port to chance. Pure code takes ids and nonces as arguments; only wiring holds a Random.
#pragma once

#include <cstddef>
#include <string>

namespace reprise {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::string Bytes(size_t count) = 0;
};

// From the kernel, fit for keys and tokens.
class SystemRandom final : public Random {
 public:
  std::string Bytes(size_t count) override;
};

}  // namespace reprise
