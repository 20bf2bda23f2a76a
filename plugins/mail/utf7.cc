#include "plugins/mail/utf7.h"

#include <array>
#include <cstdint>
#include <utility>

namespace reprise::mail {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
constexpr uint32_t kBad = 0xFFFD;

// The next character; moves `at` past it.
uint32_t NextOf(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const uint32_t first = byte(at);
  const int more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : first >> 3 == 30 ? 3 : -1;
  if (more < 0) return ++at, kBad;
  uint32_t value = more == 0 ? first : first & (0x3Fu >> more);
  for (int i = 1; i <= more; ++i) {
    if (byte(at + static_cast<size_t>(i)) >> 6 != 2) return ++at, kBad;
    value = value << 6 | (byte(at + static_cast<size_t>(i)) & 0x3F);
  }
  constexpr std::array<uint32_t, 4> kLeast = {0, 0x80, 0x800, 0x10000};
  if (value < kLeast[static_cast<size_t>(more)] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return ++at, kBad;
  at += static_cast<size_t>(more) + 1;
  return value;
}

void AppendUtf8(std::string& into, uint32_t value) {
  if (value < 0x80) {
    into += static_cast<char>(value);
  } else if (value < 0x800) {
    into += static_cast<char>(0xC0 | value >> 6);
    into += static_cast<char>(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    into += static_cast<char>(0xE0 | value >> 12);
    into += static_cast<char>(0x80 | (value >> 6 & 0x3F));
    into += static_cast<char>(0x80 | (value & 0x3F));
  } else {
    into += static_cast<char>(0xF0 | value >> 18);
    into += static_cast<char>(0x80 | (value >> 12 & 0x3F));
    into += static_cast<char>(0x80 | (value >> 6 & 0x3F));
    into += static_cast<char>(0x80 | (value & 0x3F));
  }
}

// Base64 of UTF-16, as it comes.
class Shifted {
 public:
  void Put(uint32_t unit) {
    bits_ = bits_ << 16 | unit;
    count_ += 16;
    for (; count_ >= 6; count_ -= 6) text_ += kDigits[bits_ >> (count_ - 6) & 63];
  }
  std::string Take() {
    if (count_ > 0) text_ += kDigits[bits_ << (6 - count_) & 63];
    bits_ = 0, count_ = 0;
    return std::exchange(text_, "");
  }
  bool empty() const { return text_.empty() && count_ == 0; }

 private:
  uint64_t bits_ = 0;
  int count_ = 0;
  std::string text_;
};

// What stands between & and -; false if it is no base64 of UTF-16.
bool ReadShifted(std::string_view text, std::string& into) {
  uint32_t bits = 0;
  int count = 0;
  uint32_t high = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 16) continue;
    count -= 16;
    const uint32_t unit = bits >> count & 0xFFFF;
    bits &= (1u << count) - 1;
    if (high != 0) {
      if (unit < 0xDC00 || unit > 0xDFFF) return false;
      AppendUtf8(into, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
      high = 0;
    } else if (unit >= 0xD800 && unit < 0xDC00) {
      high = unit;
    } else if (unit >= 0xDC00 && unit < 0xE000) {
      return false;
    } else {
      AppendUtf8(into, unit);
    }
  }
  return high == 0 && bits == 0;
}

bool IsInbox(std::string_view name) {
  constexpr std::string_view kInbox = "INBOX";
  if (name.size() != kInbox.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if ((name[i] & ~0x20) != kInbox[i]) return false;
  }
  return true;
}

// Looks like the delimiter and is none.
std::string_view Likeness(char delimiter) {
  switch (delimiter) {
    case '/': return "\u2215";   // division slash
    case '.': return "\u2024";   // one dot leader
    case '\\': return "\u2216";  // set minus
    default: return "_";
  }
}

}  // namespace

std::string ToModifiedUtf7(std::string_view utf8) {
  std::string out;
  Shifted shifted;
  const auto end_shift = [&] {
    if (!shifted.empty()) out += "&" + shifted.Take() + "-";
  };
  for (size_t at = 0; at < utf8.size();) {
    const uint32_t value = NextOf(utf8, at);
    if (value >= 0x20 && value < 0x7F) {
      end_shift();
      out += static_cast<char>(value);
      if (value == '&') out += '-';
    } else if (value >= 0x10000) {
      shifted.Put(0xD800 + ((value - 0x10000) >> 10));
      shifted.Put(0xDC00 + ((value - 0x10000) & 0x3FF));
    } else {
      shifted.Put(value);
    }
  }
  end_shift();
  return out;
}

std::string FromModifiedUtf7(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '&') {
      out += text[at++];
      continue;
    }
    const size_t end = text.find('-', at);
    std::string read;
    if (end == std::string_view::npos || !ReadShifted(text.substr(at + 1, end - at - 1), read)) return std::string(text);
    out += end == at + 1 ? "&" : read;
    at = end + 1;
  }
  return out;
}

FolderPath NameStyle::Fit(const FolderPath& path) const {
  FolderPath fit;
  for (const std::string& level : path) {
    std::string made;
    for (const char c : level) {
      if (delimiter != 0 && c == delimiter) {
        made += Likeness(delimiter);
      } else {
        made += c;
      }
    }
    fit.push_back(std::move(made));
  }
  return fit;
}

std::string NameStyle::Write(const FolderPath& path) const {
  if (path.size() == 1 && IsInbox(path[0])) return "INBOX";
  std::string name = prefix;
  for (const std::string& level : Fit(path)) {
    // A server without levels gets one name.
    if (name.size() > prefix.size()) name += delimiter != 0 ? delimiter : '-';
    name += ToModifiedUtf7(level);
  }
  return name;
}

FolderPath NameStyle::Read(std::string_view name) const {
  if (IsInbox(name)) return {"INBOX"};
  if (!prefix.empty() && name.size() > prefix.size() && name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
  FolderPath path;
  for (;;) {
    const size_t end = delimiter == 0 ? std::string_view::npos : name.find(delimiter);
    path.push_back(FromModifiedUtf7(name.substr(0, end)));
    if (end == std::string_view::npos) break;
    name.remove_prefix(end + 1);
  }
  // "inbox/x" is below the inbox, however it is written.
  if (path.size() > 1 && IsInbox(path[0])) path[0] = "INBOX";
  return path;
}

}  // namespace reprise::mail
