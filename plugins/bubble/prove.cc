#include "plugins/bubble/prove.h"

#include "plugins/bubble/proof.h"

namespace reprise::bubble {

using sdk::ClaimState;
using sdk::Json;

sdk::ActionInfo Prove::Describe() const {
  return {.name = "prove",
          .summary = "Compare the gateway's rules with those wanted, and look what it refused lately",
          .effect = sdk::Effect::kRead,
          .needs = {.root = true, .network = true, .paths = {}},
          .timeout = "1m",
          .memory_mb = 256,
          .params = ProofParams()};
}

sdk::ProbeResult Prove::Probe(sdk::Context& context) {
  const std::string name = BubbleName(context);
  const Proof proof = TakeProof(context, name, ProofFrom(context));
  const bool holds = proof.state == ClaimState::kHolds;
  std::vector<sdk::Evidence> evidence;
  Json observed = Json::object();
  if (proof.table) {
    for (const char* counter : {"refused_in", "refused_out"}) observed[counter] = proof.table->Packets(counter);
    observed["sealed"] = proof.table->Sealed();
    evidence.push_back({"nft", "refused so far: " + std::to_string(proof.table->Packets("refused_in")) + " in, " +
                                   std::to_string(proof.table->Packets("refused_out")) + " out, " +
                                   std::to_string(proof.table->Packets("refused_gateway")) +
                                   " to or from the gateway itself"});
  }
  for (const std::string& line : proof.holes) evidence.push_back({"nft", line});
  for (const std::string& line : proof.unproven) evidence.push_back({"unproven", line});
  if (proof.holes.empty() && proof.table) {
    evidence.push_back(
        {"nft", "table inet " + TableName(name) + ": every chain, rule, set and element is as expected"});
    evidence.push_back({"ip", "routing has every bolt, and nothing before them"});
  }
  return {.holds = holds,
          .summary = "bubble " + name + ": " + proof.detail,
          .observed = std::move(observed),
          .evidence = std::move(evidence),
          .claims = {ClosedClaim(proof)},
          .measures = {{"bubble.there", name, Store().Get(name) ? 1.0 : 0.0},
                       {"bubble.closed", name, holds ? 1.0 : 0.0},
                       {"bubble.holes", name, static_cast<double>(proof.holes.size())}}};
}

}  // namespace reprise::bubble
