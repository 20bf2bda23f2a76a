// A histogram of durations in microseconds, its buckets 3 % apart: exact enough for a median, and free of locks.
// Add from any thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace reprise::bench {

class Latencies {
 public:
  void Add(double microseconds) {
    const double place = std::log(std::max(microseconds, 1.0)) / std::log(kStep);
    counts_[std::min(static_cast<size_t>(place), kBuckets - 1)] += 1;
  }
  // The upper end of the bucket in which that part (0 to 1) of all lies, in ms; 0 when there is none.
  double PartileMs(double part) const {
    uint64_t all = 0;
    for (const auto& count : counts_) all += count;
    if (all == 0) return 0;
    const auto wanted = static_cast<uint64_t>(std::ceil(part * static_cast<double>(all)));
    uint64_t seen = 0;
    size_t bucket = 0;
    while (bucket < kBuckets && (seen += counts_[bucket]) < wanted) bucket += 1;
    return std::pow(kStep, static_cast<double>(bucket + 1)) / 1000;
  }
  void Clear() {
    for (auto& count : counts_) count = 0;
  }

 private:
  static constexpr double kStep = 1.03;
  static constexpr size_t kBuckets = 640;  // Up to 160 s.

  std::array<std::atomic<uint64_t>, kBuckets> counts_{};
};

}  // namespace reprise::bench
