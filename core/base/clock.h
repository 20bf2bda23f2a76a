// The port to time. Pure code takes `now` as an argument; only wiring holds a Clock.
#pragma once

#include <cstdint>

namespace reprise {

// Unix time in milliseconds, as in every message and event.
using UnixMs = int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMs Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  UnixMs Now() const override;
};

// Moved by hand; for tests and simulation.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixMs now = 0) : now_(now) {}
  UnixMs Now() const override { return now_; }
  void Advance(UnixMs by) { now_ += by; }

 private:
  UnixMs now_;
};

}  // namespace reprise
