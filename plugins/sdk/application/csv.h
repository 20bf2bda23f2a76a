// A CSV file as PostgreSQL writes it, read back: to add up what is really in it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/sdk/error.h"

namespace reprise::sdk::application {

// "-12.5" as ten-thousandths, exactly. Nothing: no number, more than four decimals, or too large to add up.
inline std::optional<int64_t> ParseDecimal(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  int64_t value = 0;
  int decimals = -1, digits = 0;
  for (const char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9' || value > 100'000'000'000'000 || (decimals >= 0 && c != '0' && decimals >= 4)) return std::nullopt;
    ++digits;
    if (decimals >= 4) continue;  // Zeros that say nothing.
    value = value * 10 + (c - '0');
    if (decimals >= 0) ++decimals;
  }
  if (digits == 0) return std::nullopt;
  for (int left = 4 - std::max(decimals, 0); left > 0; --left) value *= 10;
  return negative ? -value : value;
}

inline std::string ShowDecimal(int64_t value) {
  const uint64_t size = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  std::string decimals = std::to_string(10000 + size % 10000).substr(1);
  while (decimals.size() > 2 && decimals.back() == '0') decimals.pop_back();
  return (value < 0 ? "-" : "") + std::to_string(size / 10000) + "." + decimals;
}

// Rows of fields. Throws Error "bad_csv".
inline std::vector<std::vector<std::string>> ParseCsv(std::string_view text) {
  std::vector<std::vector<std::string>> rows;
  size_t at = 0;
  while (at < text.size()) {
    std::vector<std::string> row(1);
    bool quoted = false;
    for (;; ++at) {
      if (at == text.size()) throw Error("bad_csv", "the file ends in the middle of line " + std::to_string(rows.size() + 1));
      const char c = text[at];
      if (quoted) {
        if (c != '"') {
          row.back() += c;
        } else if (at + 1 < text.size() && text[at + 1] == '"') {
          row.back() += '"', ++at;
        } else {
          quoted = false;
        }
      } else if (c == '"') {
        quoted = true;
      } else if (c == ',') {
        row.emplace_back();
      } else if (c == '\n') {
        break;
      } else {
        row.back() += c;
      }
    }
    ++at;
    rows.push_back(std::move(row));
  }
  return rows;
}

struct Total {
  uint64_t rows = 0;
  int64_t sum = 0;  // Ten-thousandths.
  bool operator==(const Total&) const = default;
};
using Totals = std::map<std::string, Total>;

// Adds up column `sum` of the file for each value of column `group`.
inline Totals TotalsOfCsv(std::string_view text, const std::string& group, const std::string& sum) {
  const auto rows = ParseCsv(text);
  if (rows.empty()) throw Error("bad_csv", "the file has no line with the columns' names");
  size_t group_at = rows[0].size(), sum_at = rows[0].size();
  for (size_t column = 0; column < rows[0].size(); ++column) {
    if (rows[0][column] == group) group_at = column;
    if (rows[0][column] == sum) sum_at = column;
  }
  if (group_at == rows[0].size() || sum_at == rows[0].size()) throw Error("bad_csv", "the file has no column " + (group_at == rows[0].size() ? group : sum));
  Totals totals;
  for (size_t line = 1; line < rows.size(); ++line) {
    if (rows[line].size() != rows[0].size()) throw Error("bad_csv", "line " + std::to_string(line + 1) + " has another number of columns");
    const auto value = ParseDecimal(rows[line][sum_at]);
    if (!value) throw Error("bad_csv", "line " + std::to_string(line + 1) + ": " + sum + " is no number with at most four decimals");
    Total& total = totals[rows[line][group_at]];
    ++total.rows;
    if (__builtin_add_overflow(total.sum, *value, &total.sum)) throw Error("bad_csv", "the sum of " + sum + " is too large");
  }
  return totals;
}

// What differs, named; empty: nothing.
inline std::string WhyNotEqual(const Totals& file, const Totals& base) {
  std::string differs;
  const auto name = [&](const std::string& group, const std::string& what) { differs += (differs.empty() ? "" : "; ") + group + ": " + what; };
  for (const auto& [group, total] : base) {
    const auto found = file.find(group);
    if (found == file.end()) {
      name(group, "missing in the file, the base has " + ShowDecimal(total.sum));
    } else if (found->second != total) {
      name(group, "the file has " + std::to_string(found->second.rows) + " lines, " + ShowDecimal(found->second.sum) + ", the base " +
                      std::to_string(total.rows) + " lines, " + ShowDecimal(total.sum));
    }
  }
  for (const auto& [group, total] : file) {
    if (!base.contains(group)) name(group, "in the file, but not in the base");
  }
  return differs;
}

// The first line where `found` is not `expected`, with both; empty: they are the same bytes.
inline std::string WhyNotSameLines(std::string_view found, std::string_view expected) {
  if (found == expected) return "";
  const auto next = [](std::string_view& text) -> std::optional<std::string_view> {
    if (text.empty()) return std::nullopt;
    const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(line.size());
    return line;
  };
  const auto shown = [](const std::optional<std::string_view>& line) {
    if (!line) return std::string("the end of the file");
    const bool whole = line->ends_with('\n');
    return std::string(line->substr(0, std::min<size_t>(line->size() - (whole ? 1 : 0), 120))) + (whole ? "" : " without an end of line");
  };
  for (size_t number = 1;; ++number) {
    const auto wanted = next(expected), there = next(found);
    if (wanted != there) return "line " + std::to_string(number) + ": expected " + shown(wanted) + ", found " + shown(there);
  }
}

}  // namespace reprise::sdk::application
