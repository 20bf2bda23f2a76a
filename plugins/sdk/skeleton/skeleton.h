// A new plugin to start from: compiles as it stands, with a script that runs the conformance kit on it. For
// `reprise plugin new`. No part of the headers that plugins include.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace reprise::skeleton {

struct SkeletonOptions {
  std::string name;                        // a-z 0-9 -, at most 32, starting with a letter.
  std::filesystem::path include_folder;    // Has plugins/api and plugins/sdk. Empty: the author will say.
};

struct SkeletonFile {
  std::string path;  // Below the plugin's folder.
  std::string content;
  bool executable = false;
};

// REQUIRES: a good name.
std::vector<SkeletonFile> MakeSkeleton(const SkeletonOptions& options);

// Into `folder`, which is created. INVALID_ARGUMENT: the name; ALREADY_EXISTS: the folder is not empty.
absl::Status WriteSkeleton(const SkeletonOptions& options, const std::filesystem::path& folder);

}  // namespace reprise::skeleton
