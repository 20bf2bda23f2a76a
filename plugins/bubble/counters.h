// bubble.counters: how much was refused and what is allowed, as figures.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::bubble {

class Counters final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::bubble
