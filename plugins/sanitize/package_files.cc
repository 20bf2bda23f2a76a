#include "plugins/sanitize/package_files.h"

#include <openssl/evp.h>

#include <memory>

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
  if (kind == "sha256") return Sha256OfFd(fd);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!hash || EVP_DigestInit_ex(hash.get(), EVP_md5(), nullptr) != 1) throw Error("internal", "OpenSSL offers no MD5");
  std::string buffer(1 << 18, '\0');
  for (ssize_t count; (count = read(fd, buffer.data(), buffer.size())) != 0;) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) sdk::ThrowErrno(errno, "read");
    EVP_DigestUpdate(hash.get(), buffer.data(), static_cast<size_t>(count));
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(hash.get(), digest, &size);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
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
