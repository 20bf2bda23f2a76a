#include "plugins/bubble/told.h"

namespace reprise::bubble {
namespace {

double Size(const Table& table, const std::string& set) {
  const auto found = table.sets.find(set);
  return found == table.sets.end() ? 0 : static_cast<double>(found->second.elements.size());
}

}  // namespace

sdk::Claim GatewayClaim(const std::string& why, const Charter& charter, bool sealed) {
  if (!why.empty()) return {kGatewayClaim, sdk::ClaimState::kFails, why};
  return {kGatewayClaim, sdk::ClaimState::kHolds, Lasting(charter, sealed)};
}

std::vector<sdk::Measure> MeasuresOf(const std::string& bubble, const Table& table) {
  return {{"bubble.refused_in", bubble, static_cast<double>(table.Packets("refused_in"))},
          {"bubble.refused_out", bubble, static_cast<double>(table.Packets("refused_out"))},
          {"bubble.allowed_flows", bubble, Size(table, "flows4") + Size(table, "flows6")},
          {"bubble.posts", bubble, Size(table, "posts")},
          {"bubble.sealed", bubble, table.Sealed() ? 1.0 : 0.0}};
}

void TellAfterChange(const sdk::Context& context, const std::string& bubble, sdk::VerifyResult& result) {
  const Proof proof = TakeProof(context, bubble, ProofAsked());
  if (proof.state != sdk::ClaimState::kUnknown) result.claims.push_back(ClosedClaim(proof));
  const Store store;
  const auto noted = store.Get(bubble);
  if (!noted || !proof.table) return;
  result.measures = MeasuresOf(bubble, *proof.table);
  try {
    result.claims.push_back(
        GatewayClaim(WhyNotInstalled(context, store, *noted), noted->charter, proof.table->Sealed()));
  } catch (const sdk::Error& error) {
    if (error.code() == "cancelled") throw;
    result.claims.push_back({kGatewayClaim, sdk::ClaimState::kUnknown, error.what()});
  }
}

}  // namespace reprise::bubble
