// How often each host may do what costs the journal an event: a token bucket for each. Any thread.
// Callers are hosts that are enrolled: there are no more buckets than these.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace reprise::coordinator {

class HostRates {
 public:
  using Clock = std::chrono::steady_clock;
  // `burst` at once, then one `every` so long.
  HostRates(int burst, std::chrono::milliseconds every) : every_(every), slack_(every * (burst - 1)) {}

  // 0: it may, and is counted. Else when to come again; that costs it nothing.
  std::chrono::milliseconds Take(const std::string& host, Clock::time_point now) {
    std::lock_guard lock(mutex_);
    Clock::time_point& full_at = full_at_[host];
    const auto debt = std::max(full_at, now) - now;
    if (debt > slack_) return std::chrono::ceil<std::chrono::milliseconds>(debt - slack_);
    full_at = now + debt + every_;
    return std::chrono::milliseconds(0);
  }

 private:
  const std::chrono::milliseconds every_;
  const std::chrono::milliseconds slack_;
  std::mutex mutex_;
  std::unordered_map<std::string, Clock::time_point> full_at_;  // When the host's bucket is full again.
};

}  // namespace reprise::coordinator
