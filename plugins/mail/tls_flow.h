// What passes over all connections of one verb to one server: counted, and slowed to a rate. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace reprise::mail {

class Flow {
 public:
  using Clock = std::chrono::steady_clock;

  // 0: as fast as it goes.
  explicit Flow(uint64_t bytes_per_second = 0) : rate_(bytes_per_second) {}

  void Sent(uint64_t bytes) { sent_ += bytes; }
  void Received(uint64_t bytes) { received_ += bytes; }
  uint64_t sent() const { return sent_; }
  uint64_t received() const { return received_; }

  // Takes `bytes` out of the rate; says from when on they may pass. Bursts are as long as kBurst.
  Clock::time_point Take(uint64_t bytes, Clock::time_point now) {
    if (rate_ == 0) return now;
    const std::lock_guard lock(mutex_);
    // Time is what is taken: each byte costs a piece of it, and what was not used in time is lost.
    free_from_ = std::max(free_from_, now - kBurst);
    const auto start = free_from_;
    free_from_ += std::chrono::nanoseconds(bytes * 1'000'000'000 / rate_);
    return start;
  }

 private:
  static constexpr std::chrono::milliseconds kBurst{100};

  const uint64_t rate_;
  std::atomic<uint64_t> sent_ = 0, received_ = 0;
  std::mutex mutex_;
  Clock::time_point free_from_{};
};

}  // namespace reprise::mail
