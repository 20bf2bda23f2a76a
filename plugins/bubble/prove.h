// bubble.prove: on the gateway, its own part of the proof. See proof.h.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::bubble {

class Prove final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::bubble
