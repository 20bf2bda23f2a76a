#include "tests/fuzz/mutation.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "tests/fuzz/wire_fields.h"

namespace reprise::fuzz {
namespace {

size_t Below(size_t n, Chance& chance) { return n == 0 ? 0 : chance() % n; }

// A part of the text; mostly short.
std::pair<size_t, size_t> Part(const std::string& text, Chance& chance) {
  const size_t at = Below(text.size(), chance);
  const size_t most = std::min(text.size() - at, size_t{1} << (1 + Below(10, chance)));
  return {at, Below(most + 1, chance)};
}

void AtTheEdge(std::string& text, Chance& chance) {
  static constexpr std::array kNumbers = {"0", "-1", "1", "99", "255", "65536", "4294967295", "4294967296",
                                          "9223372036854775807", "18446744073709551616", "1e999", "00", "1.5"};
  const size_t from = Below(text.size(), chance);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto first = std::find_if(text.begin() + static_cast<ptrdiff_t>(from), text.end(), digit);
  const auto last = std::find_if_not(first, text.end(), digit);
  if (first != last) text.replace(first, last, kNumbers[Below(kNumbers.size(), chance)]);
}

void ChangeLines(std::string& text, Chance& chance) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    lines.back().push_back(c);
    if (c == '\n') lines.emplace_back();
  }
  const size_t one = Below(lines.size(), chance), other = Below(lines.size(), chance);
  switch (Below(4, chance)) {
    case 0: lines.erase(lines.begin() + static_cast<ptrdiff_t>(one)); break;
    case 1: lines.insert(lines.begin() + static_cast<ptrdiff_t>(other), std::string(lines[one])); break;
    case 2: std::swap(lines[one], lines[other]); break;
    default: lines[one].insert(0, Below(4, chance), ' ');
  }
  text.clear();
  for (const std::string& line : lines) text += line;
}

void ChangeBytes(std::string& text, const std::string& other, Chance& chance) {
  const auto [at, count] = Part(text, chance);
  switch (Below(8, chance)) {
    case 0:
      if (!text.empty()) text[at] = static_cast<char>(text[at] ^ 1 << Below(8, chance));
      break;
    case 1:
      if (!text.empty()) text[at] = static_cast<char>(chance());
      break;
    case 2: text.erase(at, count); break;
    case 3: {
      const std::string part = text.substr(at, count);
      for (size_t times = 1 + Below(Below(8, chance) == 0 ? 300 : 3, chance); times > 0; --times) text.insert(at, part);
      break;
    }
    case 4: {
      const auto [from, length] = Part(other, chance);
      text.replace(at, count, other, from, length);
      break;
    }
    case 5: AtTheEdge(text, chance); break;
    case 6: ChangeLines(text, chance); break;
    default: text.resize(at);
  }
}

// Fields of a message, or of one inside it: taken away, doubled, put elsewhere, their values changed.
std::string ChangeFields(const std::string& message, const std::string& other, int depth, Chance& chance) {
  auto fields = ReadFields(message);
  std::string changed = message;
  if (!fields || fields->empty() || depth > 12) {
    ChangeBytes(changed, other, chance);
    return changed;
  }
  const size_t at = Below(fields->size(), chance);
  WireField& field = (*fields)[at];
  switch (Below(10, chance)) {
    case 0: fields->erase(fields->begin() + static_cast<ptrdiff_t>(at)); break;
    case 1: fields->insert(fields->begin() + static_cast<ptrdiff_t>(at), WireField(field)); break;
    case 2: std::swap(field, (*fields)[Below(fields->size(), chance)]); break;
    case 3:
      if (auto others = ReadFields(other); others && !others->empty()) {
        fields->insert(fields->begin() + static_cast<ptrdiff_t>(at), (*others)[Below(others->size(), chance)]);
      }
      break;
    default:
      if (field.kind == WireField::kLength) {
        field.bytes = ChangeFields(field.bytes, other, depth + 1, chance);
      } else {
        static constexpr std::array<uint64_t, 10> kEdges = {
            0, 1, 2, 255, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF};
        field.number = Below(3, chance) == 0 ? kEdges[Below(kEdges.size(), chance)] : field.number + Below(7, chance) - 3;
      }
  }
  return WriteFields(*fields);
}

}  // namespace

std::string Mutated(const std::vector<std::string>& seeds, Form form, size_t bytes_max, Chance& chance) {
  std::string input = seeds[Below(seeds.size(), chance)];
  for (size_t changes = 1 + Below(4, chance); changes > 0; --changes) {
    const std::string& other = seeds[Below(seeds.size(), chance)];
    if (form == Form::kText || Below(8, chance) == 0) {
      ChangeBytes(input, other, chance);
    } else if (form == Form::kMessage) {
      input = ChangeFields(input, other, 0, chance);
    } else if (auto records = ReadRecords(input); records && !records->empty()) {
      const auto at = records->begin() + static_cast<ptrdiff_t>(Below(records->size(), chance));
      switch (Below(6, chance)) {
        case 0: records->erase(at); break;
        case 1: records->insert(records->begin() + static_cast<ptrdiff_t>(Below(records->size(), chance)), std::string(*at)); break;
        default: *at = ChangeFields(*at, *at, 0, chance);
      }
      input = WriteRecords(*records);
    }
  }
  if (input.size() > bytes_max) input.resize(bytes_max);
  return input;
}

}  // namespace reprise::fuzz
