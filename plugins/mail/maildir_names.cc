#include "plugins/mail/maildir_names.h"

#include <algorithm>
#include <charconv>

#include "plugins/mail/utf7.h"

namespace reprise::mail {
namespace {

template <typename Number>
std::optional<Number> NumberAt(std::string_view text, size_t* used = nullptr) {
  Number value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc()) return std::nullopt;
  if (used != nullptr) *used = static_cast<size_t>(read.ptr - text.data());
  return value;
}

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string Unescaped(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    unsigned value = 0;
    if (name[i] == '\\' && i + 2 < name.size()) {
      const auto read = std::from_chars(name.data() + i + 1, name.data() + i + 3, value, 16);
      if (read.ec == std::errc() && read.ptr == name.data() + i + 3 && value >= 0x20 && value < 0x7F) {
        out += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    out += name[i];
  }
  return out;
}

}  // namespace

MaildirName ParseMaildirName(const std::string& name) {
  const size_t info = name.rfind(":2,");
  if (info == std::string::npos) return {name.substr(0, name.find(':')), ""};
  // Other programs add fields after another comma.
  const std::string flags = name.substr(info + 3);
  return {name.substr(0, info), flags.substr(0, flags.find(','))};
}

std::vector<std::string> FlagsOf(const std::string& letters, const std::vector<std::string>& keywords) {
  std::vector<std::string> flags;
  for (const char c : letters) {
    switch (c) {
      case 'D': flags.push_back("\\Draft"); break;
      case 'F': flags.push_back("\\Flagged"); break;
      case 'P': flags.push_back("$Forwarded"); break;
      case 'R': flags.push_back("\\Answered"); break;
      case 'S': flags.push_back("\\Seen"); break;
      case 'T': flags.push_back("\\Deleted"); break;
      default:
        if (c >= 'a' && c <= 'z' && static_cast<size_t>(c - 'a') < keywords.size() && !keywords[static_cast<size_t>(c - 'a')].empty()) {
          flags.push_back(keywords[static_cast<size_t>(c - 'a')]);
        }
    }
  }
  std::sort(flags.begin(), flags.end());
  flags.erase(std::unique(flags.begin(), flags.end()), flags.end());
  return flags;
}

std::optional<uint64_t> SizeInName(const std::string& base, char key) {
  const size_t found = base.find(std::string(",") + key + "=");
  if (found == std::string::npos) return std::nullopt;
  return NumberAt<uint64_t>(std::string_view(base).substr(found + 3));
}

bool CameBefore(const std::string& base, const std::string& other) {
  const uint64_t a = NumberAt<uint64_t>(base).value_or(0), b = NumberAt<uint64_t>(other).value_or(0);
  return a != b ? a < b : base < other;
}

FolderPath LevelsOf(std::string_view name, char delimiter) {
  FolderPath path;
  if (!name.empty() && name[0] == delimiter) name.remove_prefix(1);
  for (;;) {
    const size_t end = name.find(delimiter);
    path.push_back(FromModifiedUtf7(Unescaped(name.substr(0, end))));
    if (end == std::string_view::npos) return path;
    name.remove_prefix(end + 1);
  }
}

std::optional<UidList> ParseUidList(const std::string& text) {
  const auto lines = LinesOf(text);
  if (lines.empty()) return std::nullopt;
  UidList list;
  const std::string_view head = lines[0];
  const bool newest = head.substr(0, 2) == "3 ";
  if (newest) {
    for (size_t at = 2; at < head.size();) {
      const size_t end = std::min(head.find(' ', at), head.size());
      const std::string_view field = head.substr(at, end - at);
      if (!field.empty() && field[0] == 'V') list.validity = NumberAt<uint32_t>(field.substr(1)).value_or(0);
      if (!field.empty() && field[0] == 'N') list.next = NumberAt<uint32_t>(field.substr(1)).value_or(0);
      at = end + 1;
    }
  } else {
    size_t used = 0;
    if (head.substr(0, 2) != "1 ") return std::nullopt;
    list.validity = NumberAt<uint32_t>(head.substr(2), &used).value_or(0);
    if (2 + used + 1 < head.size()) list.next = NumberAt<uint32_t>(head.substr(2 + used + 1)).value_or(0);
  }
  if (list.validity == 0) return std::nullopt;
  for (size_t i = 1; i < lines.size(); ++i) {
    const auto uid = NumberAt<uint32_t>(lines[i]);
    // "12 W345 :name" or "12 name"
    const size_t colon = newest ? lines[i].find(" :") : lines[i].find(' ');
    if (!uid || *uid == 0 || colon == std::string_view::npos) continue;
    const std::string name(lines[i].substr(colon + (newest ? 2 : 1)));
    list.uids[ParseMaildirName(name).base] = *uid;  // A later line is newer.
    list.next = std::max(list.next, *uid + 1);
  }
  return list;
}

std::vector<std::string> ParseKeywords(const std::string& text) {
  std::vector<std::string> keywords;
  for (const std::string_view line : LinesOf(text)) {
    size_t used = 0;
    const auto index = NumberAt<uint32_t>(line, &used);
    if (!index || *index >= 26 || used + 1 >= line.size()) continue;
    keywords.resize(std::max<size_t>(keywords.size(), *index + 1));
    keywords[*index] = std::string(line.substr(used + 1));
  }
  return keywords;
}

std::vector<FolderPath> ParseSubscriptions(const std::string& text, char delimiter) {
  std::vector<FolderPath> paths;
  auto lines = LinesOf(text);
  const bool second = !lines.empty() && lines[0] == "V\t2";
  if (second) lines.erase(lines.begin(), lines.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(lines.size())));
  for (const std::string_view line : lines) {
    if (!line.empty()) paths.push_back(LevelsOf(line, second ? '\t' : delimiter));
  }
  return paths;
}

}  // namespace reprise::mail
