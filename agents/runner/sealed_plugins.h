// Libraries by content: read once from the cache, hashed, and kept sealed in memory, so that what is loaded is what was
// hashed, whatever happens to the file afterwards. One owner.
#pragma once

#include <filesystem>
#include <list>
#include <string>

#include "absl/status/statusor.h"
#include "agents/runner/fd.h"

namespace reprise::runner {

class SealedPlugins {
 public:
  explicit SealedPlugins(std::filesystem::path cache) : cache_(std::move(cache)) {}

  // A descriptor of a memory file that nobody can change; it stays this object's, until the next call. NOT_FOUND: not in
  // the cache. DATA_LOSS: the file's content is another.
  absl::StatusOr<int> Open(const std::string& sha256);

 private:
  struct Sealed {
    std::string sha256;
    Fd memory;
  };
  static constexpr size_t kKeptMax = 8;  // The least recently used goes first.

  std::filesystem::path cache_;
  std::list<Sealed> kept_;
};

}  // namespace reprise::runner
