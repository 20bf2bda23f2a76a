#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace reprise {
namespace {

struct DurationUnit {
  std::string_view suffix;
  int64_t ms;
};
// Longest first, so that formatting takes the greatest unit that divides; "ms" before "m" and "s" when reading.
constexpr std::array<DurationUnit, 5> kUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

const DurationUnit* UnitAt(std::string_view text) {
  if (text.starts_with("ms")) return &kUnits[4];
  for (const auto& unit : kUnits) {
    if (text.starts_with(unit.suffix)) return &unit;
  }
  return nullptr;
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string ToHex(std::string_view bytes) {
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

absl::StatusOr<std::string> FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return absl::InvalidArgumentError("hex text has an odd number of digits");
  if (!std::all_of(hex.begin(), hex.end(), [](char c) { return absl::ascii_isxdigit(c); })) {
    return absl::InvalidArgumentError("hex text holds something other than 0-9 and a-f");
  }
  return absl::HexStringToBytes({hex.data(), hex.size()});
}

std::string ToBase64(std::string_view bytes) {
  return absl::Base64Escape({bytes.data(), bytes.size()});
}

absl::StatusOr<std::string> FromBase64(std::string_view text) {
  std::string bytes;
  if (!absl::Base64Unescape({text.data(), text.size()}, &bytes)) {
    return absl::InvalidArgumentError("not base64");
  }
  return bytes;
}

std::string FormatTime(UnixMs time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(time), absl::UTCTimeZone());
}

absl::StatusOr<UnixMs> ParseTime(std::string_view text) {
  absl::Time time;
  std::string error;
  // The digit at its start keeps out what absl takes besides: spaces, and infinite times by name.
  const bool digit = !text.empty() && absl::ascii_isdigit(text.front());
  if (!digit || !absl::ParseTime("%Y-%m-%dT%H:%M:%SZ", {text.data(), text.size()}, &time, &error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", std::string(text), "\" is not a time like 2026-11-24T09:30:00Z"));
  }
  return absl::ToUnixMillis(time);
}

absl::StatusOr<int64_t> ParseDurationMs(std::string_view text) {
  const auto error = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", std::string(text), "\" is not a duration like 90s, 15m, 24h or 1h30m"));
  };
  if (text.empty()) return error();
  int64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    int64_t number = 0;
    size_t digits = 0;
    while (digits < rest.size() && absl::ascii_isdigit(rest[digits])) {
      if (number > 1'000'000'000'000) return error();
      number = number * 10 + (rest[digits++] - '0');
    }
    rest.remove_prefix(digits);
    const DurationUnit* unit = UnitAt(rest);
    if (digits == 0 || unit == nullptr) return error();
    if (number > (std::numeric_limits<int64_t>::max() - total) / unit->ms) return error();
    total += number * unit->ms;
    rest.remove_prefix(unit->suffix.size());
  }
  return total;
}

std::string FormatDurationMs(int64_t ms) {
  if (ms <= 0) return "0s";
  std::string text;
  for (const auto& unit : kUnits) {
    if (const int64_t count = ms / unit.ms; count > 0) {
      absl::StrAppend(&text, count, std::string(unit.suffix));
      ms -= count * unit.ms;
    }
  }
  return text;
}

Letter FirstLetter(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  size_t size;
  uint32_t code;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2, code = lead & 0x1F;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3, code = lead & 0x0F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4, code = lead & 0x07;
  } else {
    return {};
  }
  if (text.size() < size) return {};
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3F);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {};
  return {code, size};
}

std::string BoundedText(std::string_view text, size_t max) {
  constexpr std::string_view kStray = "\xEF\xBF\xBD";
  std::string bounded;
  bounded.reserve(std::min(text.size(), max));
  while (!text.empty()) {
    const size_t size = FirstLetter(text).size;
    const std::string_view letter = size == 0 ? kStray : text.substr(0, size);
    if (bounded.size() + letter.size() > max) break;
    bounded.append(letter);
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return bounded;
}

std::string NearestName(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    // As many edits at least as the lengths differ by: a word of any length is soon told.
    const size_t least = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (least >= best_distance) continue;
    if (const size_t distance = EditDistance(word, candidate); distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace reprise
