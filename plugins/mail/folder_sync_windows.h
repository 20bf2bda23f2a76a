// UID windows over a folder, rising: each about as many messages wide as wanted, wider where there are few. UIDs may have gaps of
// millions, so the width follows what was seen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace reprise::mail {

class UidWindows {
 public:
  // From `first`; `next`: the first UID that no message has yet; 0: not known, then to the last UID there can be.
  UidWindows(uint32_t first, uint32_t next, uint32_t wanted)
      : end_(next == 0 ? uint64_t{kLast} + 1 : next), wanted_(wanted), width_(wanted), first_(std::max(first, 1u)) {}

  bool More() const { return first_ < end_; }
  uint32_t first() const { return static_cast<uint32_t>(first_); }
  uint32_t last() const { return static_cast<uint32_t>(std::min(first_ + width_, end_) - 1); }
  // So many messages were in this window; the next one follows.
  void Seen(size_t many) {
    first_ = uint64_t{last()} + 1;
    if (many == 0) {
      width_ *= 4;  // Gaps are long.
    } else if (many * 4 < wanted_) {
      width_ = std::min(width_ * 2, uint64_t{wanted_} * 64);
    } else if (many > size_t{wanted_} * 2) {
      width_ = std::max<uint64_t>(width_ * wanted_ / many, 1);
    }
  }

 private:
  static constexpr uint32_t kLast = std::numeric_limits<uint32_t>::max();
  const uint64_t end_;
  const uint32_t wanted_;
  uint64_t width_;
  uint64_t first_;
};

}  // namespace reprise::mail
