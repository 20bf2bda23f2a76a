#include "agents/runner/work_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agents/runner/former_life.h"

namespace reprise::runner {

absl::StatusOr<WorkFolder> WorkFolder::Take(const std::filesystem::path& path, absl::Duration wait) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return absl::UnavailableError(absl::StrCat("creating ", path.string(), ": ", error.message()));
  const std::filesystem::path absolute = std::filesystem::canonical(path, error);
  const std::string mark = absolute / ".alive";
  Fd alive(open(mark.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!alive) return absl::UnavailableError(absl::StrCat("opening ", mark, ": ", strerror(errno)));
  const absl::Time deadline = absl::Now() + wait;
  const absl::Time patience = absl::Now() + wait / 5;
  while (flock(alive.get(), LOCK_EX | LOCK_NB) != 0) {
    if (absl::Now() >= deadline) {
      return absl::UnavailableError(
          absl::StrCat("plugins of a former agent still run: they hold ", mark, "; find them with: fuser -v ", mark));
    }
    if (absl::Now() >= patience) EndHolders(alive.get());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (const auto& entry : std::filesystem::directory_iterator(absolute, error)) {
    if (entry.path() != mark) Remove(entry.path());
  }
  return WorkFolder(absolute, std::move(alive));
}

absl::StatusOr<std::filesystem::path> WorkFolder::Make(uint64_t number) const {
  std::filesystem::path folder = path_ / absl::StrCat("verb-", number);
  if (mkdir(folder.c_str(), 0700) != 0) {
    return absl::UnavailableError(absl::StrCat("creating ", folder.string(), ": ", strerror(errno)));
  }
  return folder;
}

void WorkFolder::Remove(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace reprise::runner
