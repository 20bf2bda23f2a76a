// SHA-256, whole and incremental. Digests are 32 raw bytes in a std::string, as they stand in messages.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace reprise::crypto {

inline constexpr size_t kSha256Size = 32;

std::string Sha256(std::string_view bytes);
absl::StatusOr<std::string> Sha256OfFile(const std::filesystem::path& path);

class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(Sha256Hasher&&) noexcept;
  Sha256Hasher& operator=(Sha256Hasher&&) noexcept;

  void Update(std::string_view bytes);
  // The digest of all so far; the hasher starts afresh.
  std::string Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace reprise::crypto
