// The ladder of an application (app_stage) as claims. A rung is claimed only by whoever looked, with what was seen; a rung
// above one that was looked at and does not hold never holds.
#pragma once

#include <string>
#include <vector>

#include "plugins/sdk/results.h"

namespace reprise::sdk::application {

enum class Rung { kDataFound, kDataOk, kRestored, kInTest, kDegradedNoInterface, kInterfaced, kNominal };

inline std::string_view NameOf(Rung rung) {
  switch (rung) {
    case Rung::kDataFound: return "data_found";
    case Rung::kDataOk: return "data_ok";
    case Rung::kRestored: return "restored";
    case Rung::kInTest: return "in_test";
    case Rung::kDegradedNoInterface: return "degraded_no_interface";
    case Rung::kInterfaced: return "interfaced";
    case Rung::kNominal: break;
  }
  return "nominal";
}

class Ladder {
 public:
  explicit Ladder(std::string plugin) : plugin_(std::move(plugin)) {}

  // REQUIRES: from below upwards, each rung once; what was not looked at is left out.
  void Put(Rung rung, ClaimState state, const std::string& detail) {
    const std::string name = plugin_ + "." + std::string(NameOf(rung));
    if (state == ClaimState::kHolds && lowest_ != ClaimState::kHolds) {
      claims_.push_back({name, lowest_, detail + "; but below it: " + why_});
      return;
    }
    claims_.push_back({name, state, detail});
    if (state != ClaimState::kHolds && lowest_ == ClaimState::kHolds) lowest_ = state, why_ = name + ": " + detail;
  }
  // Of the rungs that were put: all hold.
  bool holds() const { return lowest_ == ClaimState::kHolds; }
  const std::string& why_not() const { return why_; }
  const std::vector<Claim>& claims() const { return claims_; }

 private:
  std::string plugin_;
  std::vector<Claim> claims_;
  ClaimState lowest_ = ClaimState::kHolds;
  std::string why_;
};

}  // namespace reprise::sdk::application
