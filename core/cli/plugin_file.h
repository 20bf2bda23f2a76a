// A plugin's library on this machine, before it is in the store: what it says of itself, asked in a process of its own.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise::cli {

struct PluginFile {
  std::string name;
  std::string version;
  std::string descriptor_json;
};

// reprise-plugin-host beside this program, or where REPRISE_PLUGIN_HOST says.
std::filesystem::path PluginHostProgram();

// Looks at the first bytes only. NOT_FOUND; FAILED_PRECONDITION: it is no shared library.
absl::Status CheckIsLibrary(const std::filesystem::path& library);

// FAILED_PRECONDITION: it cannot be loaded, with the reason. A library's own code runs: describe only what you trust
// enough to sign, or what you wrote.
absl::StatusOr<PluginFile> DescribePlugin(const std::filesystem::path& library);

}  // namespace reprise::cli
