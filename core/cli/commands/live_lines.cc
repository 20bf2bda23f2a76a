#include "core/cli/commands/live_lines.h"

#include <algorithm>
#include <ostream>

#include "absl/strings/str_cat.h"

namespace reprise::cli {
namespace {

// More would scroll, and then could not be taken back.
constexpr size_t kLinesMax = 12;

}  // namespace

void LiveLines::Show(const std::vector<std::string>& lines) {
  if (!terminal_.ErrIsTerminal()) return;
  Clear();
  shown_ = std::min(lines.size(), kLinesMax);
  // A line that wrapped would be two: none may be as wide as the terminal.
  const size_t width = terminal_.Width() == 0 ? 0 : terminal_.Width() - 1;
  for (size_t i = 0; i < shown_; ++i) terminal_.err() << Shorten(lines[i], width) << '\n';
  terminal_.err() << std::flush;
}

void LiveLines::Clear() {
  if (shown_ == 0) return;
  terminal_.err() << absl::StrCat("\x1b[", shown_, "A\r\x1b[J") << std::flush;
  shown_ = 0;
}

}  // namespace reprise::cli
