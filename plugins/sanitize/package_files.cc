#include "plugins/sanitize/package_files.h"

#include "plugins/sanitize/digest.h"
#include "plugins/sdk/process.h"
#include "plugins/sdk/sha256.h"

namespace reprise::sanitize {

namespace fs = std::filesystem;
using sdk::Error;

std::pair<std::string, std::string> ExpectedSum(const Finding& finding) {
  const size_t first = finding.expected.find(' ');
  if (first == std::string::npos) return {};
  const size_t second = finding.expected.find(' ', first + 1);
  return {finding.expected.substr(0, first),
          finding.expected.substr(first + 1, second == std::string::npos ? second : second - first - 1)};
}

std::string SumOf(const std::string& kind, int fd) {
  return DigestOfFd(fd, kind == "sha256" ? EVP_sha256() : EVP_md5());
}

PackageFile PackageFiles::For(const Finding& finding) {
  auto unpacked = unpacked_.find(finding.package);
  for (const auto& [name, path] : context_.artifacts()) {
    if (unpacked != unpacked_.end()) break;
    if (name.size() < 5 || name.compare(name.size() - 4, 4, ".deb") != 0) continue;
    const sdk::RunResult field = sdk::Run(context_, {"dpkg-deb", "--field", path.string(), "Package"});
    if (!field.ok() || Trimmed(field.out.substr(0, field.out.find('\n'))) != finding.package) continue;
    const fs::path folder = context_.work_dir() / ("deb-" + finding.package);
    fs::create_directories(folder);
    sdk::RunOrThrow(context_, {"dpkg-deb", "--extract", path.string(), folder.string()});
    unpacked = unpacked_.emplace(finding.package, folder).first;
  }
  if (unpacked == unpacked_.end()) {
    throw Error("artifact_missing", finding.path + " is to be put back, and the package " + finding.package + " was not given",
                "name its .deb under artifacts: in the workflow's step, in the version that is installed");
  }
  // In the package it may lie where it was before /usr was merged.
  const Tree inside(unpacked->second.string());
  std::string path = finding.path;
  if (!inside.Look(path) && path.compare(0, 5, "/usr/") == 0) path = path.substr(4);
  const auto found = inside.Look(path);
  const sdk::Fd fd = inside.Open(path, O_RDONLY | O_NOFOLLOW);
  const auto [kind, sum] = ExpectedSum(finding);
  if (!found || !fd || !S_ISREG(found->st_mode) || SumOf(kind, fd.get()) != sum) {
    throw Error("wrong_package", "the package " + finding.package + " that was given does not have " + finding.path + " with " +
                                     kind + " " + sum,
                "give the version of the package that is installed on this host");
  }
  return {inside.On(path), {found->st_mode, found->st_uid, found->st_gid}, inside.Sha256(path)};
}

}  // namespace reprise::sanitize
