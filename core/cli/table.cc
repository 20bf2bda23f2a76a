#include "core/cli/table.h"

#include <algorithm>
#include <ostream>

namespace reprise::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kLastColumnMin = 12;

}  // namespace

void Table::Print(Terminal& terminal, bool cut) const {
  std::vector<size_t> widths;
  for (const std::string& heading : headings_) widths.push_back(DisplayWidth(heading));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(OneLine(row[i].text)));
  }
  size_t before_last = 0;
  for (size_t i = 0; i + 1 < widths.size(); ++i) before_last += widths[i] + kGap;
  size_t last_max = 0;
  if (cut && terminal.OutIsTerminal() && terminal.Width() > 0) {
    last_max = terminal.Width() > before_last ? terminal.Width() - before_last : 0;
    last_max = std::max(last_max, kLastColumnMin);
  }
  const auto print = [&](const std::vector<Cell>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      std::string text = OneLine(row[i].text);
      const bool last = i + 1 == row.size();
      if (last && last_max > 0) text = Shorten(text, last_max);
      const size_t width = DisplayWidth(text);
      terminal.out() << terminal.Paint(text, row[i].color);
      if (!last) terminal.out() << std::string(widths[i] - std::min(width, widths[i]) + kGap, ' ');
    }
    terminal.out() << '\n';
  };
  std::vector<Cell> head;
  for (const std::string& heading : headings_) head.emplace_back(heading, Color::kBold);
  print(head);
  for (const auto& row : rows_) print(row);
}

}  // namespace reprise::cli
