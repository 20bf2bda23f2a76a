#include "plugins/edr/signature_base.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fstream>
#include <system_error>
#include <vector>

#include "plugins/sdk/error.h"

namespace reprise::edr {
namespace {

using sdk::Error;
using std::chrono::system_clock;

constexpr std::string_view kContainer = "ClamAV-VDB:";
constexpr std::string_view kDate = "# date: ";

int64_t Number(std::string_view text) {
  int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

std::optional<system_clock::time_point> Day(std::string_view text) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(Number(text.substr(0, 4)))),
                                        std::chrono::month(static_cast<unsigned>(Number(text.substr(5, 2)))),
                                        std::chrono::day(static_cast<unsigned>(Number(text.substr(8, 2))))};
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days(day);
}

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0;;) {
    const size_t end = text.find(by, begin);
    parts.push_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::string Shown(system_clock::time_point time) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  const auto two = [](unsigned number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return std::to_string(static_cast<int>(day.year())) + "-" + two(static_cast<unsigned>(day.month())) + "-" +
         two(static_cast<unsigned>(day.day()));
}

bool IsAmong(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& one) { return Matches(one, name); });
}

BaseFile ReadOne(const std::filesystem::path& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) throw Error("system", "look at " + path.string());
  std::ifstream file(path, std::ios::binary);
  std::string beginning, line;
  int64_t lines = 0;
  while (std::getline(file, line)) {
    if (beginning.size() < 4096) beginning += line.substr(0, 4096) + "\n";
    if (beginning.rfind(kContainer, 0) == 0) break;
    if (!line.empty() && line[0] != '#') ++lines;
  }
  return ReadBaseFile(beginning, lines, system_clock::from_time_t(found.st_mtime));
}

}  // namespace

BaseFile ReadBaseFile(std::string_view beginning, int64_t lines, system_clock::time_point modified) {
  if (beginning.substr(0, kContainer.size()) == kContainer) {
    // ClamAV-VDB:07 Nov 2026 09-00 +0000:27000:2070000:90:md5:signature:builder:1794042000
    const auto parts = Split(beginning.substr(0, std::min<size_t>(beginning.size(), 512)), ':');
    BaseFile file{0, modified};
    if (parts.size() > 3) file.signatures = std::max<int64_t>(Number(parts[3]), 0);
    if (parts.size() > 8) {
      const std::string_view time = parts[8].substr(0, parts[8].find_first_not_of("0123456789"));
      if (const int64_t seconds = Number(time); seconds > 0) file.date = system_clock::from_time_t(seconds);
    }
    return file;
  }
  for (const std::string_view line : Split(beginning, '\n')) {
    if (line.substr(0, kDate.size()) != kDate) continue;
    if (const auto day = Day(line.substr(kDate.size()))) return {lines, *day};
  }
  return {lines, modified};
}

SignatureBase ReadSignatureBase(const Profile& profile) {
  SignatureBase base;
  std::error_code error;
  for (std::filesystem::directory_iterator at(profile.signatures_folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!IsAmong(profile.signatures_artifacts, name)) continue;
    const BaseFile& file = base.files[name] = ReadOne(at->path());
    base.signatures += file.signatures;
    base.date = base.date ? std::max(*base.date, file.date) : file.date;
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw std::system_error(error, "read " + profile.signatures_folder);
  }
  return base;
}

std::string Describe(const SignatureBase& base) {
  if (!base.date) return "no signatures";
  std::string names;
  for (const auto& [name, file] : base.files) {
    if (names.size() > 100) {
      names += ", …";
      break;
    }
    names += (names.empty() ? "" : ", ") + name;
  }
  return std::to_string(base.signatures) + " signatures in " + names + ", of " + Shown(*base.date);
}

std::map<std::string, std::filesystem::path> SignatureArtifacts(const sdk::Context& context, const Profile& profile) {
  std::map<std::string, std::filesystem::path> found;
  for (const auto& [name, path] : context.artifacts()) {
    if (name.find('/') == std::string::npos && IsAmong(profile.signatures_artifacts, name)) found[name] = path;
  }
  return found;
}

}  // namespace reprise::edr
