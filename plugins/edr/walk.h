// The files below the paths that were asked for, one after the other. Follows no symbolic link, opens nothing but regular
// files, goes through each once, needs memory for the depth only. What it cannot look into it says, for the caller to count.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace reprise::edr {

struct WalkOptions {
  std::vector<std::string> exclude;  // Absolute paths: they and what is below them are passed over.
  bool one_file_system = false;
};

struct WalkVisitor {
  // A regular file. Returns false to end the walk.
  std::function<bool(const std::filesystem::path&)> file;
  // Asked for, but not looked into: why. Folders without permission, paths that are missing.
  std::function<void(const std::filesystem::path&, const std::string& why)> unseen;
  // Called now and then, also where there are no files. Returns false to end the walk.
  std::function<bool()> go_on;
};

// Kernel file systems without stored content (proc, sysfs, …) are passed over.
void Walk(const std::vector<std::string>& paths, const WalkOptions& options, const WalkVisitor& visitor);

}  // namespace reprise::edr
