// The rungs of the ladder that this adapter can prove, by the names that reports count.
#pragma once

#include <string>

#include "plugins/sdk/results.h"

namespace reprise::pacs {

inline constexpr const char* kDataFound = "pacs.data_found";
inline constexpr const char* kDataOk = "pacs.data_ok";
inline constexpr const char* kRestored = "pacs.restored";
inline constexpr const char* kInTest = "pacs.in_test";
inline constexpr const char* kDegraded = "pacs.degraded_no_interface";
inline constexpr const char* kInterfaced = "pacs.interfaced";

inline sdk::Claim Holds(const char* name, bool holds, std::string detail) {
  return {name, holds ? sdk::ClaimState::kHolds : sdk::ClaimState::kFails, std::move(detail)};
}
inline sdk::Claim Unknown(const char* name, std::string detail) {
  return {name, sdk::ClaimState::kUnknown, std::move(detail)};
}

}  // namespace reprise::pacs
