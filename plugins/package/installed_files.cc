#include "plugins/package/installed_files.h"

#include <set>
#include <sstream>

#include "plugins/package/dpkg.h"
#include "plugins/sdk/process.h"

namespace reprise::package {
namespace {

using namespace reprise::sdk;

bool MayBeMissing(const std::string& path) {
  for (const char* folder : {"/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/",
                             "/usr/share/lintian/", "/usr/share/help/", "/usr/share/gnome/help/"}) {
    if (path.rfind(folder, 0) == 0) return true;
  }
  return false;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Another package took the file's name over (dpkg-divert): its place tells nothing about this package.
bool IsDiverted(const Context& context, const std::string& path) {
  const RunResult said = Run(context, {"dpkg-divert", "--truename", path});
  return said.ok() && said.out != path + "\n";
}

// "??5??????   /usr/bin/x", "missing     /usr/bin/x"; with a c before the path for configuration.
std::string WhatDpkgFinds(const Context& context, const DebFile& deb) {
  const RunResult said = Run(context, {"dpkg", "--verify", deb.Asked()});
  if (said.exit_code > 1) Dpkg::Fail("dpkg --verify " + deb.Asked(), said);
  for (const std::string& line : Lines(said.out)) {
    const size_t slash = line.find('/');
    if (slash == std::string::npos || (slash >= 2 && line[slash - 2] == 'c')) continue;
    const std::string path = line.substr(slash);
    if (line.rfind("missing", 0) == 0 && MayBeMissing(path)) continue;
    return line.rfind("missing", 0) == 0 ? path + " is missing" : path + " has another content";
  }
  return "";
}

}  // namespace

FilesVerdict CompareFiles(const Context& context, const DebFile& deb) {
  FilesVerdict verdict;
  verdict.why_not = WhatDpkgFinds(context, deb);
  verdict.evidence.push_back({"command", "dpkg --verify " + deb.Asked() + ": " +
                                             (verdict.why_not.empty() ? "no difference" : verdict.why_not)});

  const std::filesystem::path folder = context.work_dir() / deb.name;
  RunOrThrow(context, {"dpkg-deb", "--control", deb.path.string(), folder.string()});
  const auto sums = ReadFileIfThere(folder / "md5sums");
  if (!sums) {
    verdict.evidence.push_back({"package", deb.Shown() + " carries no sums of its files"});
    return verdict;
  }
  std::set<std::string> configuration;
  for (const std::string& line : Lines(ReadFileIfThere(folder / "conffiles").value_or(""))) configuration.insert(line);
  std::string list;
  size_t count = 0;
  for (const std::string& line : Lines(*sums)) {
    if (line.size() < 35 || configuration.contains("/" + line.substr(34))) continue;
    list += line + "\n";
    ++count;
  }
  if (count == 0) return verdict;
  WriteFileAtomically(folder / "expected", list);
  RunOptions options;
  options.environment["LC_ALL"] = "C";
  options.folder = "/";
  options.output_max = 4 << 20;
  const RunResult said =
      Run(context, {"md5sum", "--check", "--quiet", "--strict", (folder / "expected").string()}, options);
  std::string wrong;
  for (const std::string& line : Lines(said.out)) {
    const size_t colon = line.rfind(": FAILED");
    if (colon == std::string::npos) continue;
    const std::string path = "/" + line.substr(0, colon);
    const bool unread = line.ends_with("open or read");
    if ((unread && MayBeMissing(path)) || IsDiverted(context, path)) continue;
    if (wrong.empty()) wrong = path + (unread ? " cannot be read" : " is not the package's file");
  }
  if (!said.ok() && said.out.find(": FAILED") == std::string::npos) wrong = "md5sum: " + said.Why();
  verdict.evidence.push_back({"command", "md5sum of " + std::to_string(count) + " files against the sums in " +
                                             deb.Shown() + ": " + (wrong.empty() ? "equal" : wrong)});
  if (verdict.why_not.empty()) verdict.why_not = wrong;
  return verdict;
}

}  // namespace reprise::package
