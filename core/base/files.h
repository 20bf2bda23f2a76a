// Files as whole values, written so that a crash leaves the old content or the new, never a mixture.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise {

// NOT_FOUND, PERMISSION_DENIED or INTERNAL, naming the path.
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path);

// Temporary file, fsync, rename, fsync of the folder. `mode` as for chmod.
absl::Status WriteFileDurably(const std::filesystem::path& path, std::string_view content,
                              unsigned mode = 0644);

}  // namespace reprise
