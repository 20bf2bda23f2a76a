#include "tests/sim/clockwork.h"

#include <algorithm>
#include <cstdio>

namespace reprise::sim {

void Clockwork::After(int64_t ms, std::function<void()> what) {
  agenda_.emplace(std::pair(now_ + std::max<int64_t>(ms, 0), ++sequence_), std::move(what));
}

bool Clockwork::Step(UnixMs until) {
  if (agenda_.empty() || agenda_.begin()->first.first > until) return false;
  auto next = agenda_.extract(agenda_.begin());
  now_ = next.key().first;
  steps_ += 1;
  next.mapped()();
  return true;
}

int64_t Clockwork::Between(int64_t from, int64_t to) {
  return from + static_cast<int64_t>(chance_() % static_cast<uint64_t>(to - from + 1));
}

bool Clockwork::Chance(double probability) {
  return static_cast<double>(chance_() >> 11) * 0x1.0p-53 < probability;
}

bool Clockwork::Strikes(const char* fault, double probability) {
  if (!Chance(probability)) return false;
  Count(fault);
  return true;
}

void Clockwork::Trace(const std::string& line) {
  const std::string whole = std::to_string(now_ - start_) + " " + line + "\n";
  hash_.Update(whole);
  if (verbose_) std::fputs(whole.c_str(), stdout);
}

}  // namespace reprise::sim
