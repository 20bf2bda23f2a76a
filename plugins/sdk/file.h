// Files as whole values. Failures throw std::system_error naming the path.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "plugins/sdk/error.h"

namespace reprise::sdk {

[[noreturn]] inline void ThrowErrno(int number, const std::string& what) {
  throw std::system_error(number, std::generic_category(), what);
}

// A descriptor, closed at the end of its life.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { Reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void Reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

// Nothing if there is no such file. More than `max` bytes: Error "too_large".
inline std::optional<std::string> ReadFileIfThere(const std::filesystem::path& path, size_t max = 16 << 20) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    ThrowErrno(errno, "open " + path.string());
  }
  std::string content;
  char buffer[65536];
  for (;;) {
    const ssize_t count = read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) ThrowErrno(errno, "read " + path.string());
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
    if (content.size() > max) {
      throw Error("too_large", path.string() + " has more than " + std::to_string(max) + " bytes");
    }
  }
}

inline std::string ReadFile(const std::filesystem::path& path, size_t max = 16 << 20) {
  auto content = ReadFileIfThere(path, max);
  if (!content) ThrowErrno(ENOENT, "open " + path.string());
  return *std::move(content);
}

inline void SyncFolder(const std::filesystem::path& folder) {
  Fd fd(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) fsync(fd.get());
}

// The old content or the new, whatever happens in between: temporary file beside it, fsync, rename, fsync of the folder.
inline void WriteFileAtomically(const std::filesystem::path& path, std::string_view content, mode_t mode = 0644) {
  std::string temporary = path.string() + ".XXXXXX";
  Fd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) ThrowErrno(errno, "create " + temporary);
  const auto fail = [&](const char* what) {
    const int number = errno;
    unlink(temporary.c_str());
    ThrowErrno(number, std::string(what) + " " + path.string());
  };
  for (size_t done = 0; done < content.size();) {
    const ssize_t count = write(fd.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write");
    done += static_cast<size_t>(count);
  }
  if (fchmod(fd.get(), mode) != 0) fail("chmod");
  if (fsync(fd.get()) != 0) fail("fsync");
  if (rename(temporary.c_str(), path.c_str()) != 0) fail("rename");
  SyncFolder(path.parent_path());
}

// True if there was one.
inline bool RemoveFile(const std::filesystem::path& path) {
  if (unlink(path.c_str()) == 0) {
    SyncFolder(path.parent_path());
    return true;
  }
  if (errno == ENOENT || errno == ENOTDIR) return false;
  ThrowErrno(errno, "remove " + path.string());
}

}  // namespace reprise::sdk
