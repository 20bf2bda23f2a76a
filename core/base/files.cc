#include "core/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace reprise {
namespace {

constexpr size_t kEndlessBytesMax = 64 << 20;  // From a pipe or a device.

absl::Status FileError(const std::filesystem::path& path, const char* doing) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(path.string(), ": cannot ", doing));
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError(path, "open");
  struct stat kind{};
  const bool may_never_end = fstat(fd, &kind) == 0 && !S_ISREG(kind.st_mode);
  std::string content;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      absl::Status status = FileError(path, "read");
      close(fd);
      return status;
    }
    if (got == 0) break;
    content.append(buffer, static_cast<size_t>(got));
    if (may_never_end && content.size() > kEndlessBytesMax) {
      close(fd);
      return absl::InvalidArgumentError(absl::StrCat(path.string(), ": not a regular file, and it does not end"));
    }
  }
  close(fd);
  return content;
}

absl::Status WriteFileDurably(const std::filesystem::path& path, std::string_view content, unsigned mode) {
  std::string pattern = path.string() + ".XXXXXX";
  const int fd = mkostemp(pattern.data(), O_CLOEXEC);
  if (fd < 0) return FileError(path, "create beside it");
  const auto fail = [&](const char* doing) {
    absl::Status status = FileError(path, doing);
    close(fd);
    unlink(pattern.c_str());
    return status;
  };
  while (!content.empty()) {
    const ssize_t put = write(fd, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail("write");
    content.remove_prefix(static_cast<size_t>(put));
  }
  if (fchmod(fd, mode) != 0) return fail("set the mode");
  if (fsync(fd) != 0) return fail("sync");
  if (rename(pattern.c_str(), path.c_str()) != 0) return fail("rename");
  close(fd);
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (const int dir = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); dir >= 0) {
    fsync(dir);
    close(dir);
  }
  return absl::OkStatus();
}

}  // namespace reprise
