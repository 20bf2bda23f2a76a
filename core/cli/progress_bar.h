// "edr.so  [######----]  6.0/10.0 MB  60 %  0:04 left" on one line that is rewritten; where no person looks on (nohup, a pipe),
// a line of its own each half minute, so that a log shows life. Time is an argument.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/clock.h"
#include "core/cli/terminal.h"

namespace reprise::cli {

enum class Unit { kCount, kBytes };

class ProgressBar {
 public:
  // `terminal` outlives it.
  ProgressBar(Terminal& terminal, std::string label, uint64_t total, Unit unit, UnixMs now);
  ~ProgressBar();  // Removes the line.

  void Show(uint64_t done, UnixMs now);

  // The line itself; the same without the bar.
  std::string Text(uint64_t done, UnixMs now) const;
  std::string PlainText(uint64_t done, UnixMs now) const;

 private:
  double ShareOf(uint64_t done) const;
  // "6.0 MB of 10.0 MB  60 %  0:04 left"
  std::string Counts(uint64_t done, UnixMs now) const;

  static constexpr UnixMs kEvery = 100;
  static constexpr UnixMs kLineEvery = 30'000;

  Terminal& terminal_;
  const std::string label_;
  const uint64_t total_;
  const Unit unit_;
  const UnixMs began_;
  UnixMs shown_ = 0;
  bool visible_ = false;
};

// "0:04", "12:30", "1:02:03"
std::string ShortTime(int64_t ms);
// "512 B", "1.5 MB"
std::string ByteText(uint64_t bytes);

}  // namespace reprise::cli
