#include "core/coordinator/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"

namespace reprise::coordinator {
namespace {

constexpr char kIncoming[] = "incoming";

absl::Status Errno(const std::filesystem::path& path, const char* doing) {
  if (errno == ENOSPC || errno == EDQUOT) {
    return absl::ResourceExhaustedError(absl::StrCat(path.string(), ": no room left on the coordinator's disk"));
  }
  return absl::ErrnoToStatus(errno, absl::StrCat(path.string(), ": cannot ", doing));
}

absl::Status CheckHash(const std::string& sha256) {
  if (sha256.size() == crypto::kSha256Size) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a SHA-256 has 32 bytes, not ", sha256.size()));
}

}  // namespace

OpenBlob::OpenBlob(OpenBlob&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_), offset_(other.offset_) {}

OpenBlob::~OpenBlob() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<std::string> OpenBlob::Read(size_t max) {
  std::string data(max, '\0');
  const ssize_t got = pread(fd_, data.data(), max, static_cast<off_t>(offset_));
  if (got < 0) return absl::ErrnoToStatus(errno, "the coordinator cannot read the file");
  data.resize(static_cast<size_t>(got));
  offset_ += static_cast<uint64_t>(got);
  return data;
}

absl::StatusOr<std::unique_ptr<BlobStore>> BlobStore::OpenFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder / kIncoming, error);
  std::filesystem::create_directories(folder / kIncoming, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder.string(), ": ", error.message()));
  return std::unique_ptr<BlobStore>(new BlobStore(folder));
}

std::filesystem::path BlobStore::PathOf(const std::string& sha256) const {
  const std::string hex = ToHex(sha256);
  return folder_ / hex.substr(0, 2) / hex;
}

absl::StatusOr<std::unique_ptr<BlobStore::Upload>> BlobStore::Begin(const std::string& sha256, uint64_t size) {
  if (absl::Status status = CheckHash(sha256); !status.ok()) return status;
  if (size > kSizeMax) {
    return absl::ResourceExhaustedError(absl::StrCat("a file of ", size, " bytes; at most ", kSizeMax, " are taken"));
  }
  const std::filesystem::path path = folder_ / kIncoming / absl::StrCat(uploads_++);
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Errno(path, "create");
  return std::unique_ptr<Upload>(new Upload(*this, path, fd, sha256, size));
}

absl::StatusOr<OpenBlob> BlobStore::Open(const std::string& sha256, uint64_t offset) const {
  if (absl::Status status = CheckHash(sha256); !status.ok()) return status;
  const std::filesystem::path path = PathOf(sha256);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::NotFoundError(absl::StrCat("no file ", ToHex(sha256), " in the store"));
  struct stat about {};
  fstat(fd, &about);
  OpenBlob blob(fd, static_cast<uint64_t>(about.st_size), offset);
  if (offset > blob.size()) return absl::OutOfRangeError(absl::StrCat("the file has ", blob.size(), " bytes"));
  return blob;
}

BlobStore::Upload::Upload(const BlobStore& store, std::filesystem::path path, int fd, std::string sha256,
                          uint64_t size)
    : store_(store), path_(std::move(path)), fd_(fd), sha256_(std::move(sha256)), size_(size) {}

BlobStore::Upload::~Upload() {
  close(fd_);
  unlink(path_.c_str());  // When it was committed there is nothing of this name.
}

absl::Status BlobStore::Upload::Write(std::string_view data) {
  written_ += data.size();
  if (written_ > size_) return absl::InvalidArgumentError(absl::StrCat("more bytes than the ", size_, " announced"));
  hasher_.Update(data);
  while (!data.empty()) {
    const ssize_t put = write(fd_, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Errno(path_, "write");
    data.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::Status BlobStore::Upload::Commit() {
  if (written_ != size_) {
    return absl::InvalidArgumentError(absl::StrCat(written_, " bytes came of the ", size_, " announced"));
  }
  if (const std::string found = hasher_.Finish(); found != sha256_) {
    return absl::InvalidArgumentError(
        absl::StrCat("the content's SHA-256 is ", ToHex(found), ", not ", ToHex(sha256_), " as announced"));
  }
  const std::filesystem::path target = store_.PathOf(sha256_);
  std::error_code error;
  std::filesystem::create_directories(target.parent_path(), error);
  if (fsync(fd_) != 0) return Errno(path_, "sync");
  if (rename(path_.c_str(), target.c_str()) != 0) return Errno(target, "create");
  const int folder = open(target.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && fsync(folder) == 0;
  if (folder >= 0) close(folder);
  return synced ? absl::OkStatus() : Errno(target.parent_path(), "sync");
}

}  // namespace reprise::coordinator
