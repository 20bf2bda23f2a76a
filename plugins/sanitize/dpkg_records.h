// What dpkg wrote down about the files of installed packages: whose each is, and its MD5. Read from /var/lib/dpkg itself, not
// asked from the host's dpkg, which may be an intruder's. The records may be as well: a golden manifest beats them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/sanitize/report.h"
#include "plugins/sanitize/tree.h"

namespace reprise::sanitize {

struct PackagedFile {
  uint32_t package = 0;  // Index of DpkgRecords::packages().
  bool conffile = false;
  std::string md5;       // Hex; empty: dpkg has none for it.
};

class DpkgRecords {
 public:
  // What cannot be read is reported as not looked at.
  static DpkgRecords Read(const Tree& tree, Report& report);

  // `path` without links in its folders. Folders are among them, without MD5.
  const PackagedFile* Find(const std::string& path) const;
  // The same for any path of the tree, following links to the end.
  bool Owns(const Tree& tree, const std::string& path) const;

  const std::unordered_map<std::string, PackagedFile>& files() const { return files_; }
  const std::vector<std::string>& packages() const { return packages_; }
  // Where dpkg was told not to unpack some of a package's files.
  bool IsExcluded(const std::string& path) const;
  // Names of /etc/alternatives that dpkg's records know.
  const std::set<std::string>& alternatives() const { return alternatives_; }

 private:
  void ReadPackage(const Tree& tree, Report& report, const std::string& name, const std::string& architecture,
                   const std::vector<std::pair<std::string, std::string>>& conffiles);
  void ReadDiversions(const Tree& tree);
  void ReadExclusions(const Tree& tree);
  std::string Place(const Tree& tree, const std::string& path, const std::string& package);

  std::unordered_map<std::string, PackagedFile> files_;
  std::vector<std::string> packages_;
  std::set<std::string> alternatives_;
  std::unordered_map<std::string, std::pair<std::string, std::string>> diversions_;  // from -> (to, package)
  std::vector<std::pair<bool, std::string>> exclusions_;                             // (excluded, pattern)
  std::unordered_map<std::string, std::string> real_folders_;
};

}  // namespace reprise::sanitize
