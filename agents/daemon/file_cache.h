// Plugins and artifacts on this host's disk, each under the hash of its content. A file under its final name was whole
// and right when it was put there, and is looked at again each time it is asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise::daemon {

class FileCache {
 public:
  explicit FileCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path PathOf(const std::string& sha256) const;
  // True: there, and its content has this hash. One that has not is removed.
  absl::StatusOr<bool> Has(const std::string& sha256) const;

  // Receives content from `offset` on; OK: the rest was given to `take`. Errors as CoordinatorLink::Fetch.
  using Source =
      std::function<absl::Status(uint64_t offset, const std::function<absl::Status(std::string_view, uint64_t)>& take)>;
  // Goes on where an earlier try was cut. DATA_LOSS: what came does not have the hash (it is thrown away).
  // RESOURCE_EXHAUSTED: the disk is full; FAILED_PRECONDITION: the file is over `size_max`.
  absl::Status Bring(const std::string& sha256, uint64_t size_max, const Source& source) const;

  // Removes what nobody used for `unused_days`, then the longest unused until `bytes_max` is kept.
  // REQUIRES: nothing is in use.
  void Tidy(uint64_t bytes_max, int unused_days) const;

 private:
  std::filesystem::path PartOf(const std::string& sha256) const;

  std::filesystem::path folder_;
};

}  // namespace reprise::daemon
