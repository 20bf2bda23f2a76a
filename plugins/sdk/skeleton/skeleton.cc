#include "plugins/sdk/skeleton/skeleton.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "plugins/sdk/skeleton/skeleton_files.h"

namespace reprise::skeleton {
namespace {

// Targets that CMake keeps for itself, and names that would not say whose plugin it is.
constexpr std::string_view kTakenNames[] = {"all", "clean", "help", "install", "test", "package", "reprise", "plugin"};

absl::Status CheckName(const std::string& name) {
  const bool spelled = !name.empty() && name.size() <= 32 && name[0] >= 'a' && name[0] <= 'z' &&
                       name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (!spelled) {
    return absl::InvalidArgumentError(
        absl::StrCat("plugin name ", name, ": expected a-z 0-9 -, at most 32, starting with a letter"));
  }
  if (std::find(std::begin(kTakenNames), std::end(kTakenNames), name) != std::end(kTakenNames)) {
    return absl::InvalidArgumentError(absl::StrCat("plugin name ", name, " is taken: name it after the application"));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<SkeletonFile> MakeSkeleton(const SkeletonOptions& options) {
  std::vector<SkeletonFile> files;
  for (const ExampleFile& example : ExampleFiles()) {
    SkeletonFile file;
    file.path = absl::StrReplaceAll(example.path, {{"hello", options.name}});
    file.content = absl::StrReplaceAll(
        example.content, {{"${CMAKE_CURRENT_SOURCE_DIR}/../..", options.include_folder.string()}, {"hello", options.name}});
    file.executable = file.path == "test";
    files.push_back(std::move(file));
  }
  return files;
}

absl::Status WriteSkeleton(const SkeletonOptions& options, const std::filesystem::path& folder) {
  if (absl::Status status = CheckName(options.name); !status.ok()) return status;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat("creating ", folder.string(), ": ", error.message()));
  if (!std::filesystem::is_empty(folder, error) || error) {
    return absl::AlreadyExistsError(absl::StrCat(folder.string(), " is not empty: name a new folder"));
  }
  for (const SkeletonFile& file : MakeSkeleton(options)) {
    const std::filesystem::path path = folder / file.path;
    std::ofstream out(path, std::ios::binary);
    out << file.content;
    out.close();
    if (!out) return absl::UnavailableError(absl::StrCat("writing ", path.string()));
    if (file.executable) {
      std::filesystem::permissions(path, std::filesystem::perms(0755), error);
    }
  }
  return absl::OkStatus();
}

}  // namespace reprise::skeleton
