// Small things about text, over std::string_view (abseil's own view is another type here).
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace reprise::backup {

namespace words_internal {
inline void Append(std::string& text, std::string_view part) {
  text += part;
}
template <std::integral Number>
void Append(std::string& text, Number number) {
  text += std::to_string(number);
}
}  // namespace words_internal

// Texts and numbers behind each other.
template <typename... Parts>
std::string Words(const Parts&... parts) {
  std::string text;
  (words_internal::Append(text, parts), ...);
  return text;
}

// Eight hexadecimal digits.
inline std::string Hex8(uint64_t value) {
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[value >> shift & 15];
  return text;
}

inline bool StartsWith(std::string_view text, std::string_view start) {
  return text.starts_with(start);
}
inline bool EndsWith(std::string_view text, std::string_view end) {
  return text.ends_with(end);
}
inline bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline std::string Lower(std::string_view text) {
  std::string low(text);
  for (char& c : low) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return low;
}

inline constexpr std::string_view kSpaces = " \t\r\n\v\f";
inline std::string_view StripLeft(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
  return text;
}
inline std::string_view Strip(std::string_view text) {
  text = StripLeft(text);
  const size_t last = text.find_last_not_of(kSpaces);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

inline bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
inline bool IsLowerHex(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f');
}

// The whole text is a decimal number.
inline bool ReadNumber(std::string_view text, uint64_t& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
}

}  // namespace reprise::backup
