// A cap on bytes per second, shared by all who send files: on the one link that a half-dead hospital has, a rollout must
// not drown the rest. A token bucket that may go into debt: whoever takes last waits for what he took.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace reprise::coordinator {

class Throttle {
 public:
  using Clock = std::chrono::steady_clock;
  // 0: no cap.
  explicit Throttle(uint64_t bytes_per_s) : rate_(bytes_per_s) {}

  // How long to wait before `bytes` may be sent; they are counted as sent.
  std::chrono::milliseconds Take(uint64_t bytes, Clock::time_point now) {
    if (rate_ == 0) return std::chrono::milliseconds(0);
    std::lock_guard lock(mutex_);
    if (free_at_ < now) free_at_ = now;
    const auto wait = free_at_ - now;
    free_at_ += std::chrono::nanoseconds(static_cast<int64_t>(1e9 * static_cast<double>(bytes) / static_cast<double>(rate_)));
    return std::chrono::ceil<std::chrono::milliseconds>(wait);
  }

 private:
  const uint64_t rate_;
  std::mutex mutex_;
  Clock::time_point free_at_{};
};

}  // namespace reprise::coordinator
