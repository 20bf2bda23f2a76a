#include "plugins/package/deb_file.h"

#include <charconv>
#include <set>
#include <sstream>

namespace reprise::package {
namespace {

using sdk::Context;
using sdk::Error;

DebFile Read(const Context& context, const std::string& artifact, const std::filesystem::path& path) {
  const sdk::RunResult said = Run(context, {"dpkg-deb", "--field", path.string(), "Package", "Version", "Architecture",
                                            "Installed-Size", "Essential"});
  if (!said.ok()) {
    throw Error("bad_package", "artifact " + artifact + " is no Debian package: " + said.Why(),
                "name the artifacts that are packages under packages:");
  }
  DebFile deb{.artifact = artifact, .path = path};
  std::istringstream lines(said.out);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon), value = line.substr(colon + 2);
    if (key == "Package") deb.name = value;
    if (key == "Version") deb.version = value;
    if (key == "Architecture") deb.architecture = value;
    if (key == "Essential") deb.essential = value == "yes";
    if (key == "Installed-Size") std::from_chars(value.data(), value.data() + value.size(), deb.installed_kib);
  }
  if (!IsPlainWord(deb.name) || !IsPlainWord(deb.version) || !IsPlainWord(deb.architecture)) {
    throw Error("bad_package", "artifact " + artifact + " does not say its name, version and architecture");
  }
  return deb;
}

}  // namespace

std::vector<DebFile> DebsOf(const Context& context, const Dpkg& dpkg) {
  std::vector<std::string> wanted = context.Param<std::vector<std::string>>("packages");
  if (wanted.empty()) {
    for (const auto& [name, path] : context.artifacts()) wanted.push_back(name);
  }
  if (wanted.empty()) {
    throw Error("artifact_missing", "no package was given to this step",
                "name .deb files under artifacts: in the workflow's step");
  }
  const std::string native = dpkg.Architecture();
  std::set<std::string> names;
  std::vector<DebFile> debs;
  for (const std::string& artifact : wanted) {
    DebFile deb = Read(context, artifact, context.Artifact(artifact));
    if (deb.architecture != "all" && deb.architecture != native && !dpkg.IsForeignArchitecture(deb.architecture)) {
      throw Error("wrong_architecture",
                  "package " + deb.Shown() + " is for " + deb.architecture + ", this host is " + native,
                  "give this host the package that is built for " + native);
    }
    if (!names.insert(deb.Asked()).second) throw Error("bad_package", "package " + deb.name + " is given twice");
    debs.push_back(std::move(deb));
  }
  return debs;
}

}  // namespace reprise::package
