// A table for people: columns aligned, the last one cut where the terminal ends (not on a pipe, not with -o wide).
// What programs read is `-o json`, never this.
#pragma once

#include <string>
#include <vector>

#include "core/cli/terminal.h"

namespace reprise::cli {

struct Cell {
  Cell(std::string text, Color color = Color::kNone) : text(std::move(text)), color(color) {}  // NOLINT: a text is a cell.
  Cell(const char* text) : text(text) {}                                                       // NOLINT
  std::string text;
  Color color = Color::kNone;
};

class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  // REQUIRES: as many cells as headings.
  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  void Print(Terminal& terminal, bool cut) const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace reprise::cli
