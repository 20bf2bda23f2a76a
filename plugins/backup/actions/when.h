// Moments as people write them: RFC 3339, "2022-08-20T23:30:00+02:00".
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace reprise::backup {

namespace when_internal {
// Two digits of `text` at `at`, or -1.
inline int Two(std::string_view text, size_t at) {
  const auto digit = [&](size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : -100; };
  return std::max(digit(at) * 10 + digit(at + 1), -1);
}
}  // namespace when_internal

// Milliseconds since 1970, or nothing if it is no such moment.
inline std::optional<int64_t> ParseMoment(std::string_view text) {
  using when_internal::Two;
  std::tm parts{};
  if (text.size() < 20 || text.size() > 40) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int century = Two(text, 0), year = Two(text, 2), month = Two(text, 5), day = Two(text, 8);
  const int hour = Two(text, 11), minute = Two(text, 14), second = Two(text, 17);
  if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  size_t at = 19;
  int64_t milliseconds = 0;
  if (text[at] == '.') {
    int64_t scale = 100;
    const size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) milliseconds += (text[at] - '0') * scale;
    if (at == first) return std::nullopt;
  }
  int64_t offset = 0;
  const std::string_view zone = text.substr(at);
  if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
    const int hours = Two(zone, 1), minutes = Two(zone, 4);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
    offset = (hours * 60 + minutes) * (zone[0] == '-' ? -60 : 60);
  } else if (zone != "Z" && zone != "z") {
    return std::nullopt;
  }
  parts.tm_year = century * 100 + year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  const int asked_day = parts.tm_mday;
  const int64_t seconds = timegm(&parts);
  if (parts.tm_mday != asked_day && second != 60) return std::nullopt;  // The 31st of a month without one.
  return (seconds - offset) * 1000 + milliseconds;
}

// "2022-08-20T21:30:00Z"; empty for 0, which is not known.
inline std::string MomentText(int64_t unix_ms) {
  if (unix_ms == 0) return "";
  const std::time_t seconds = unix_ms / 1000;
  std::tm parts{};
  char text[32];
  if (gmtime_r(&seconds, &parts) == nullptr) return "";
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace reprise::backup
