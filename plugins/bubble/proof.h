// The gateway's own part of the proof: what is loaded is what is wanted and nothing leads around it, and packets of
// each kind were really refused lately, in both directions, which is what makes the silence of the other two proofs
// evidence. bubble.prove says it, bubble.readmit hangs on it, and whatever changes a bubble takes it again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/bubble/install.h"
#include "plugins/sdk/action.h"

namespace reprise::bubble {

inline constexpr const char* kClosedClaim = "bubble.closed";

struct ProofAsked {
  std::vector<std::string> kinds_out = {"tcp", "udp", "icmp", "dns", "ipv6"};
  std::vector<std::string> kinds_in = kinds_out;
  int64_t fresh_s = 600;
};

// The parameters, and what was given for them. Throws Error "bad_params".
sdk::Params ProofParams();
ProofAsked ProofFrom(const sdk::Context& context);

struct Proof {
  sdk::ClaimState state = sdk::ClaimState::kUnknown;
  std::string detail;
  std::vector<std::string> holes;     // Where something leads, or could lead, through or around.
  std::vector<std::string> unproven;  // What could not be looked at, or was not tried.
  std::optional<Table> table;
};

Proof TakeProof(const sdk::Context& context, const std::string& bubble, const ProofAsked& asked);

// Of `kinds`, those of which nothing was refused within `fresh_s`. `side` is "in" or "out". Pure.
std::vector<std::string> NotRefusedLately(const Table& table, const std::string& side,
                                          const std::vector<std::string>& kinds, int64_t fresh_s);

inline sdk::Claim ClosedClaim(const Proof& proof) {
  return {kClosedClaim, proof.state, proof.detail};
}

}  // namespace reprise::bubble
