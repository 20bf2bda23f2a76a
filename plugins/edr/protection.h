// The one proof that a host is protected: its sensor is alive, finds EICAR, lets harmless content pass, has a base. Not
// what is configured: what it does now.
#pragma once

#include <string>
#include <vector>

#include "plugins/edr/profile.h"
#include "plugins/edr/sensor.h"
#include "plugins/edr/signature_base.h"
#include "plugins/sdk/results.h"

namespace reprise::edr {

inline constexpr const char* kProtectedClaim = "edr.protected";

enum class Through {
  kBytes,  // handed over its socket: nothing is written
  kFile,   // two files in work_dir
};

struct Protection {
  sdk::ClaimState state = sdk::ClaimState::kUnknown;
  std::string detail;   // Why, or which engine with which base.
  std::string version;  // Of the engine, if it said so.
  SignatureBase base;
  std::vector<sdk::Evidence> evidence;

  bool holds() const { return state == sdk::ClaimState::kHolds; }
  sdk::Claim AsClaim() const { return {kProtectedClaim, state, detail}; }
};

// Throws only "cancelled".
Protection Prove(const sdk::Context& context, const Profile& profile, Through through);

// Does it find EICAR? Infected is the good answer.
Outcome AskForEicar(const sdk::Context& context, Sensor& sensor, Through through);

}  // namespace reprise::edr
