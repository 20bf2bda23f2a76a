// What the coordinator is told of a bubble: claims, whose text stays true until the next change, and the numbers, which
// are measures. Whatever changes a bubble tells them anew, so that no older word stands beside the new truth.
#pragma once

#include <string>
#include <vector>

#include "plugins/bubble/proof.h"

namespace reprise::bubble {

inline constexpr const char* kGatewayClaim = "bubble.gateway";

// `why` the bubble is not there as its charter has it; empty: it is.
sdk::Claim GatewayClaim(const std::string& why, const Charter& charter, bool sealed);

// Refused so far, let in now, sealed or not.
std::vector<sdk::Measure> MeasuresOf(const std::string& bubble, const Table& table);

// After a change: the gateway's claim and the numbers as they are now, and what is left of the proof: "holds" or "fails".
// Of the proof nothing is said where only fresh evidence is lacking: one post or flow more or less leaves what was refused
// before as true, and as old, as it was.
void TellAfterChange(const sdk::Context& context, const std::string& bubble, sdk::VerifyResult& result);

}  // namespace reprise::bubble
