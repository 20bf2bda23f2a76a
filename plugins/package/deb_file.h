// A .deb of the step: a file whose hash was verified before, and what it says about itself.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plugins/package/dpkg.h"
#include "plugins/sdk/context.h"

namespace reprise::package {

struct DebFile {
  std::string artifact;
  std::filesystem::path path;
  std::string name;
  std::string version;
  std::string architecture;
  int64_t installed_kib = 0;  // 0: it does not say.
  bool essential = false;

  // As dpkg is asked about it.
  std::string Asked() const { return architecture == "all" ? name : name + ":" + architecture; }
  std::string Shown() const { return name + " " + version; }
};

// The packages of a step: those that `packages` names, in that order, or all artifacts. Throws Error "bad_package" (not
// a package, or two of one name), "wrong_architecture", "artifact_missing".
std::vector<DebFile> DebsOf(const sdk::Context& context, const Dpkg& dpkg);

}  // namespace reprise::package
