// Files of packages, from the .deb artifacts of the step, whose hashes people signed.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "plugins/sanitize/files.h"
#include "plugins/sanitize/finding.h"

namespace reprise::sanitize {

struct PackageFile {
  std::filesystem::path file;  // In work_dir.
  Look look;
  std::string sha256;
};

class PackageFiles {
 public:
  explicit PackageFiles(const sdk::Context& context) : context_(context) {}

  // As the finding expects it, checked against the sum that it names. Throws sdk::Error "artifact_missing" (no such package
  // among the artifacts), "wrong_package" (it does not have the file, or not with that sum).
  PackageFile For(const Finding& finding);

 private:
  const sdk::Context& context_;
  std::map<std::string, std::filesystem::path> unpacked_;  // By package.
};

// "md5 <hex> of package x" -> {"md5", "<hex>"}.
std::pair<std::string, std::string> ExpectedSum(const Finding& finding);
std::string SumOf(const std::string& kind, int fd);

}  // namespace reprise::sanitize
