#include "plugins/sanitize/dpkg_records.h"

#include <fnmatch.h>

namespace reprise::sanitize {
namespace {

constexpr const char* kInfo = "/var/lib/dpkg/info/";
constexpr size_t kRecordMax = 64 << 20;

bool StartsWith(const std::string& text, std::string_view begin) { return text.compare(0, begin.size(), begin) == 0; }

}  // namespace

DpkgRecords DpkgRecords::Read(const Tree& tree, Report& report) {
  DpkgRecords records;
  records.ReadDiversions(tree);
  records.ReadExclusions(tree);
  for (const std::string& name : tree.Names("/var/lib/dpkg/alternatives")) records.alternatives_.insert(name);
  const auto status = tree.Read("/var/lib/dpkg/status", kRecordMax);
  if (!status || status->empty()) {
    report.Unseen("/var/lib/dpkg/status", "dpkg's records are missing: nothing is known of any package");
    return records;
  }
  std::string name, architecture, state;
  std::vector<std::pair<std::string, std::string>> conffiles;
  bool in_conffiles = false;
  const auto finish = [&] {
    // "install ok installed"; half-installed ones have files as well.
    const bool there = !state.empty() && state.find("not-installed") == std::string::npos &&
                       state.find("config-files") == std::string::npos;
    if (!name.empty() && there) records.ReadPackage(tree, report, name, architecture, conffiles);
    name.clear(), architecture.clear(), state.clear(), conffiles.clear();
  };
  for (const std::string& line : Lines(*status)) {
    if (line.empty()) {
      finish();
    } else if (line[0] == ' ' && in_conffiles) {  // " /etc/x MD5 [obsolete]"
      const size_t space = line.find(' ', 1);
      if (space != std::string::npos) conffiles.emplace_back(line.substr(1, space - 1), line.substr(space + 1, 32));
    } else if (line[0] != ' ') {
      in_conffiles = StartsWith(line, "Conffiles:");
      if (StartsWith(line, "Package: ")) name = line.substr(9);
      if (StartsWith(line, "Architecture: ")) architecture = line.substr(14);
      if (StartsWith(line, "Status: ")) state = line.substr(8);
    }
  }
  finish();
  report.Count("packages", records.packages_.size());
  return records;
}

void DpkgRecords::ReadDiversions(const Tree& tree) {
  const std::vector<std::string> lines = Lines(tree.Read("/var/lib/dpkg/diversions").value_or(""));
  for (size_t i = 0; i + 2 < lines.size(); i += 3) diversions_[lines[i]] = {lines[i + 1], lines[i + 2]};
}

void DpkgRecords::ReadExclusions(const Tree& tree) {
  std::vector<std::string> files = {"/etc/dpkg/dpkg.cfg"};
  for (const std::string& name : tree.Names("/etc/dpkg/dpkg.cfg.d")) files.push_back("/etc/dpkg/dpkg.cfg.d/" + name);
  for (const std::string& file : files) {
    for (const std::string& line : Lines(tree.Read(file).value_or(""))) {
      for (const bool excluded : {true, false}) {
        const std::string_view key = excluded ? "path-exclude" : "path-include";
        if (!StartsWith(line, key)) continue;
        const size_t begin = line.find_first_not_of(" =", key.size());
        if (begin != std::string::npos) exclusions_.emplace_back(excluded, Trimmed(line.substr(begin)));
      }
    }
  }
}

// A path as dpkg has it ("/bin/ls"), as it lies on the disk ("/usr/bin/ls").
std::string DpkgRecords::Place(const Tree& tree, const std::string& listed, const std::string& package) {
  const auto diverted = diversions_.find(listed);
  const bool moved = diverted != diversions_.end() && diverted->second.second != package;
  const std::string& path = moved ? diverted->second.first : listed;
  const size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash);
  if (folder.empty()) return path;
  const auto [known, is_new] = real_folders_.try_emplace(folder);
  if (is_new) known->second = tree.Real(folder).value_or(folder);
  return known->second + path.substr(slash);
}

void DpkgRecords::ReadPackage(const Tree& tree, Report& report, const std::string& name, const std::string& architecture,
                              const std::vector<std::pair<std::string, std::string>>& conffiles) {
  const uint32_t index = static_cast<uint32_t>(packages_.size());
  packages_.push_back(name);
  std::string base = kInfo + name + ":" + architecture;
  auto list = tree.Read(base + ".list", kRecordMax);
  if (!list) list = tree.Read((base = kInfo + name) + ".list", kRecordMax);
  if (!list) return report.Unseen(base + ".list", "dpkg's list of a package's files is missing");
  for (const std::string& path : Lines(*list)) {
    if (path.size() > 1 && path != "/.") files_.try_emplace(Place(tree, path, name), PackagedFile{.package = index});
  }
  for (const std::string& line : Lines(tree.Read(base + ".md5sums", kRecordMax).value_or(""))) {
    if (line.size() < 35) continue;
    PackagedFile& file = files_[Place(tree, "/" + line.substr(34), name)];
    file.package = index;
    file.md5 = line.substr(0, 32);
  }
  for (const auto& [path, md5] : conffiles) {
    if (md5.size() == 32) files_[Place(tree, path, name)] = {index, true, md5};
  }
}

const PackagedFile* DpkgRecords::Find(const std::string& path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

bool DpkgRecords::Owns(const Tree& tree, const std::string& path) const {
  if (Find(path) != nullptr) return true;
  const auto real = tree.Real(path);
  return real && Find(*real) != nullptr;
}

bool DpkgRecords::IsExcluded(const std::string& path) const {
  bool excluded = false;
  for (const auto& [excludes, pattern] : exclusions_) {
    if (fnmatch(pattern.c_str(), path.c_str(), 0) == 0) excluded = excludes;
  }
  return excluded;
}

}  // namespace reprise::sanitize
