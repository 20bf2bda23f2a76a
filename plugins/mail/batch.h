// The mailboxes of a batch, several at a time, and how far they are. One that fails stops no other.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "plugins/mail/batch_box.h"
#include "plugins/sdk/context.h"

namespace reprise::mail {

// How many boxes may be at work at once: fewer when a server asks for less, more again as boxes come through. Thread-safe.
class Width {
 public:
  explicit Width(size_t most) : most_(most), now_(most) {}
  size_t now() const { return now_; }
  void Narrow() { now_ = std::max<size_t>(1, now_ - (now_ > 1)); }
  void Widen() { now_ = std::min(most_, now_ + 1); }

 private:
  const size_t most_;
  std::atomic<size_t> now_;
};

// Messages and bytes that are done, and when it will be over. Thread-safe.
class BatchProgress {
 public:
  BatchProgress(const sdk::Context& context, std::string doing, size_t boxes);
  void Moved(uint64_t messages, uint64_t bytes);
  void BoxEnded();
  // "12 of 40 boxes, 700 messages, 52/s, about 9 min left". Pure.
  static std::string Shown(size_t boxes_done, size_t boxes, uint64_t messages, double seconds);

 private:
  void Tell(bool now);

  const sdk::Context& context_;
  const std::string doing_;
  const size_t boxes_;
  std::mutex mutex_;
  size_t done_ = 0;
  uint64_t messages_ = 0, bytes_ = 0;
  const std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point told_;
};

// Calls `work` for each box, by `connections` threads at most; the results in the boxes' order. What `work` throws ends the batch: no
// further box is begun, those at work come to their end (their own checks see that), and it is thrown.
std::vector<BoxResult> ForEachBox(const std::vector<Box>& boxes, size_t connections, const Watch& watch,
                                  const std::function<BoxResult(const Box&, const Watch&)>& work);

struct BatchTally {
  std::map<BoxState, size_t> boxes;
  MoveCounts moved;
  VerifyCounts verified;
  std::map<std::string, size_t> failures;  // Code -> boxes.

  size_t of(BoxState state) const {
    const auto found = boxes.find(state);
    return found == boxes.end() ? 0 : found->second;
  }
  size_t all() const;  // But for excluded ones.
  // "38 prestaged, 2 failed (over_quota 1, too_large 1)"
  std::string Shown() const;
};
// "; attachments of 9 mailboxes not scanned", where no scanner had looked into what was appended; else empty.
std::string NotScanned(const std::vector<BoxResult>& results);
BatchTally TallyOf(const std::vector<BoxResult>& results);

// "0", "5", "10%": how many of `boxes` may fail. Throws Error "bad_params".
size_t FailuresMax(const std::string& text, size_t boxes);

}  // namespace reprise::mail
