// A child process in a file system of its own: the host's, seen through an overlay that is thrown away. What is written
// there never reaches the host, and can be listed. Needs root.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace reprise::conformance {

// What the work sees. Separately mounted file systems (/proc and /dev apart) are empty in it.
class Root {
 public:
  Root(std::filesystem::path kit, int upper) : kit_(std::move(kit)), upper_(upper) {}

  // Outside the overlay; the plugin, its host and scratch folders stand there.
  const std::filesystem::path& kit() const { return kit_; }
  // False: no overlay, this host itself.
  bool is_throwaway() const { return upper_ >= 0; }
  // What was written since the process began or Forget() was called: absolute paths.
  std::set<std::string> Written() const;
  void Forget() { known_ = Stamps(); }

 private:
  std::map<std::string, std::string> Stamps() const;
  std::filesystem::path kit_;
  int upper_;
  std::map<std::string, std::string> known_;
};

struct KitFile {
  std::filesystem::path from;
  std::string name;  // In Root::kit().
};

// Runs `work` in a child and returns what it returned. UNAVAILABLE: there can be no overlay here; INTERNAL: the child died.
absl::StatusOr<nlohmann::json> InThrowawayRoot(const std::vector<KitFile>& files,
                                               const std::function<nlohmann::json(Root&)>& work);
// The same on this host's own file system.
absl::StatusOr<nlohmann::json> OnThisHost(const std::vector<KitFile>& files,
                                          const std::function<nlohmann::json(Root&)>& work);

}  // namespace reprise::conformance
