// The runner's scratch folder, and the mark by which a new life of the agent knows that nothing of the former one runs.
//
// Every plugin host inherits a locked descriptor of `<folder>/.alive`. Plugin hosts die with their agent; a new runner
// waits until the last of them has, and after a fifth of its patience ends those that have not, so that a probe never looks
// at a host that a forgotten apply still changes.
#pragma once

#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/runner/fd.h"

namespace reprise::runner {

class WorkFolder {
 public:
  // Creates or empties the folder. UNAVAILABLE: something still runs after `wait`.
  static absl::StatusOr<WorkFolder> Take(const std::filesystem::path& path, absl::Duration wait);

  // Made for one verb, mode 0700. Removed by Remove.
  absl::StatusOr<std::filesystem::path> Make(uint64_t number) const;
  static void Remove(const std::filesystem::path& folder);

  // To be inherited by what is started.
  int alive() const { return alive_.get(); }

 private:
  WorkFolder(std::filesystem::path path, Fd alive) : path_(std::move(path)), alive_(std::move(alive)) {}

  std::filesystem::path path_;
  Fd alive_;
};

}  // namespace reprise::runner
