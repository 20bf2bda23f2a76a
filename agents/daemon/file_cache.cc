#include "agents/daemon/file_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"

namespace reprise::daemon {
namespace {

namespace fs = std::filesystem;

class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

absl::Status Failed(const fs::path& path, const char* doing) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path.string(), ": cannot ", doing));
}

absl::Status WriteAll(int fd, const fs::path& path, std::string_view data) {
  while (!data.empty()) {
    const ssize_t put = write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Failed(path, "write");
    data.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

}  // namespace

fs::path FileCache::PathOf(const std::string& sha256) const {
  return folder_ / ToHex(sha256);
}
fs::path FileCache::PartOf(const std::string& sha256) const {
  return folder_ / (ToHex(sha256) + ".part");
}

absl::StatusOr<bool> FileCache::Has(const std::string& sha256) const {
  const fs::path path = PathOf(sha256);
  std::error_code error;
  if (!fs::exists(path, error)) return false;
  ASSIGN_OR_RETURN(const std::string found, crypto::Sha256OfFile(path));
  if (found != sha256) {
    fs::remove(path, error);
    return false;
  }
  fs::last_write_time(path, fs::file_time_type::clock::now(), error);  // Used now: see Tidy.
  return true;
}

absl::Status FileCache::Bring(const std::string& sha256, uint64_t size_max, const Source& source) const {
  const fs::path part = PartOf(sha256);
  std::error_code ignored;
  const OpenFile file(open(part.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (file.fd() < 0) return Failed(part, "create");
  struct stat about {};
  if (fstat(file.fd(), &about) != 0) return Failed(part, "look at");
  uint64_t received = static_cast<uint64_t>(about.st_size);

  const auto take = [&](std::string_view data, uint64_t total) -> absl::Status {
    if (received + data.size() > size_max || total > size_max) {
      return absl::FailedPreconditionError(
          absl::StrCat("the file is larger than the ", size_max, " bytes allowed for it"));
    }
    RETURN_IF_ERROR(WriteAll(file.fd(), part, data));
    received += data.size();
    return absl::OkStatus();
  };
  absl::Status status = source(received, take);
  // What is already whole cannot be asked for from its end on.
  if (!status.ok() && status.code() != absl::StatusCode::kOutOfRange) return status;
  if (fsync(file.fd()) != 0) return Failed(part, "sync");
  ASSIGN_OR_RETURN(const std::string found, crypto::Sha256OfFile(part));
  if (found != sha256) {
    fs::remove(part, ignored);
    return absl::DataLossError(
        absl::StrCat("what the coordinator sent has the hash ", ToHex(found), ", not ", ToHex(sha256)));
  }
  if (rename(part.c_str(), PathOf(sha256).c_str()) != 0) return Failed(part, "rename");
  return absl::OkStatus();
}

void FileCache::Tidy(uint64_t bytes_max, int unused_days) const {
  struct Kept {
    fs::file_time_type used;
    uint64_t size;
    fs::path path;
  };
  std::vector<Kept> files;
  uint64_t total = 0;
  std::error_code error;
  const auto oldest = fs::file_time_type::clock::now() - std::chrono::hours(24) * unused_days;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const auto used = fs::last_write_time(entry->path(), gone);
    const auto size = fs::file_size(entry->path(), gone);
    if (gone) continue;
    if (used < oldest) {
      fs::remove(entry->path(), gone);
    } else {
      files.push_back({used, size, entry->path()});
      total += size;
    }
  }
  std::sort(files.begin(), files.end(), [](const Kept& a, const Kept& b) { return a.used < b.used; });
  for (const Kept& file : files) {
    if (total <= bytes_max) return;
    if (fs::remove(file.path, error)) total -= file.size;
  }
}

}  // namespace reprise::daemon
