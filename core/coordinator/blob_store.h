// Plugins and artifacts as files named by the SHA-256 of their content: <folder>/<2 hex>/<64 hex>. What is in it is
// whole: a file appears under its name only when every byte has been hashed and synced.
// Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/crypto/sha256.h"

namespace reprise::coordinator {

class OpenBlob {
 public:
  OpenBlob(int fd, uint64_t size, uint64_t offset) : fd_(fd), size_(size), offset_(offset) {}
  OpenBlob(OpenBlob&& other) noexcept;
  OpenBlob& operator=(OpenBlob&&) = delete;
  ~OpenBlob();

  uint64_t size() const { return size_; }
  // The next at most `max` bytes; empty at the end.
  absl::StatusOr<std::string> Read(size_t max);

 private:
  int fd_;
  const uint64_t size_;
  uint64_t offset_;
};

class BlobStore {
 public:
  // 4 GiB: an installer of a vendor's whole suite fits.
  static constexpr uint64_t kSizeMax = uint64_t{4} << 30;

  // Makes the folder and removes what an upload cut short left behind.
  static absl::StatusOr<std::unique_ptr<BlobStore>> OpenFolder(const std::filesystem::path& folder);

  // One file on its way in. Gone without a trace unless committed.
  class Upload {
   public:
    ~Upload();
    Upload(const Upload&) = delete;
    absl::Status Write(std::string_view data);
    // INVALID_ARGUMENT: not the size or the content that was announced.
    absl::Status Commit();

   private:
    friend class BlobStore;
    Upload(const BlobStore& store, std::filesystem::path path, int fd, std::string sha256, uint64_t size);

    const BlobStore& store_;
    const std::filesystem::path path_;
    int fd_;
    const std::string sha256_;
    const uint64_t size_;
    uint64_t written_ = 0;
    crypto::Sha256Hasher hasher_;
  };

  // `sha256`: 32 bytes. INVALID_ARGUMENT; RESOURCE_EXHAUSTED: too large, or no room.
  absl::StatusOr<std::unique_ptr<Upload>> Begin(const std::string& sha256, uint64_t size);
  // NOT_FOUND; OUT_OF_RANGE: the offset is past the end.
  absl::StatusOr<OpenBlob> Open(const std::string& sha256, uint64_t offset) const;

 private:
  explicit BlobStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path PathOf(const std::string& sha256) const;

  const std::filesystem::path folder_;
  std::atomic<uint64_t> uploads_{0};
};

}  // namespace reprise::coordinator
