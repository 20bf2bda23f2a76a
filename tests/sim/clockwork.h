// Virtual time, chance from one seed, and the trace of what happened. Everything in a simulation that is not decided by
// the code under test is decided here.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/crypto/sha256.h"

namespace reprise::sim {

constexpr UnixMs kNever = std::numeric_limits<UnixMs>::max();

class Clockwork {
 public:
  Clockwork(uint64_t seed, UnixMs start, bool verbose) : now_(start), start_(start), chance_(seed), verbose_(verbose) {}

  UnixMs now() const { return now_; }
  void After(int64_t ms, std::function<void()> what);
  // Does the next thing, if there is one before `until`.
  bool Step(UnixMs until);

  // At least `from`, at most `to`.
  int64_t Between(int64_t from, int64_t to);
  bool Chance(double probability);
  // Chance, for a fault: counted when it happens.
  bool Strikes(const char* fault, double probability);
  void Count(const std::string& fault) { struck_[fault] += 1; }
  const std::map<std::string, uint64_t>& struck() const { return struck_; }

  void Trace(const std::string& line);
  std::string TraceHash() { return hash_.Finish(); }
  uint64_t steps() const { return steps_; }
  UnixMs start() const { return start_; }

 private:
  UnixMs now_;
  UnixMs start_;
  uint64_t sequence_ = 0;
  uint64_t steps_ = 0;
  std::mt19937_64 chance_;
  std::map<std::pair<UnixMs, uint64_t>, std::function<void()>> agenda_;
  std::map<std::string, uint64_t> struck_;
  crypto::Sha256Hasher hash_;
  bool verbose_;
};

}  // namespace reprise::sim
