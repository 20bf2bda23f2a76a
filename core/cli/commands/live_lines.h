// A few lines at the foot of a terminal that are rewritten in place. Nothing at all where no person looks on.
#pragma once

#include <string>
#include <vector>

#include "core/cli/terminal.h"

namespace reprise::cli {

class LiveLines {
 public:
  // `terminal` outlives it.
  explicit LiveLines(Terminal& terminal) : terminal_(terminal) {}
  ~LiveLines() { Clear(); }
  LiveLines(const LiveLines&) = delete;
  LiveLines& operator=(const LiveLines&) = delete;

  void Show(const std::vector<std::string>& lines);
  // Before something else is printed, and at the end.
  void Clear();

 private:
  Terminal& terminal_;
  size_t shown_ = 0;
};

}  // namespace reprise::cli
