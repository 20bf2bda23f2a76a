// bubble.prove: on the gateway. The rules that are loaded are those wanted and nothing leads around them; and packets
// of each kind were really refused lately, in both directions, which is what makes the silence of the other two proofs
// evidence.
#pragma once

#include "plugins/bubble/table.h"
#include "plugins/sdk/action.h"

namespace reprise::bubble {

class Prove final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

// Of `kinds`, those of which nothing was refused within `fresh_s`. `side` is "in" or "out". Pure.
std::vector<std::string> NotRefusedLately(const Table& table, const std::string& side,
                                          const std::vector<std::string>& kinds, int64_t fresh_s);

}  // namespace reprise::bubble
