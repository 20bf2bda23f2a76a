// The count of a scan: what was clean, what was found, what was not scanned and why. Counts everything, names the first
// few. Says clean only of a scan that saw everything.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "plugins/edr/outcome.h"
#include "plugins/sdk/results.h"

namespace reprise::edr {

inline constexpr const char* kCleanClaim = "edr.clean";

class Tally {
 public:
  explicit Tally(size_t shown_max) : shown_max_(shown_max) {}

  // Reasons for what the sensor was not even asked are short and few: they are counted by their text.
  void Add(const std::string& path, const Outcome& outcome);
  // The scan as a whole vouches for nothing, for example because its sensor lost its base.
  void Distrust(const std::string& why);

  int64_t clean() const { return clean_; }
  int64_t infected() const { return infected_; }
  int64_t not_scanned() const { return not_scanned_; }
  int64_t total() const { return clean_ + infected_ + not_scanned_; }

  // Something found is infected whatever else; else anything unseen is unknown; nothing asked for is unknown too.
  sdk::ClaimState State() const;
  std::string Summary() const;
  sdk::Json Observed() const;
  std::vector<sdk::Evidence> Evidence() const;

 private:
  const size_t shown_max_;
  int64_t clean_ = 0;
  int64_t infected_ = 0;
  int64_t not_scanned_ = 0;
  std::string distrust_;
  std::map<std::string, int64_t> signatures_, reasons_;
  std::vector<std::string> shown_infected_, shown_not_scanned_;
};

}  // namespace reprise::edr
