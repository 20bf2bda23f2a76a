// bubble.prove_inside runs on a host inside and tries to get out; bubble.prove_outside runs on a host outside and tries
// to get in. Both only look: they send packets and change nothing. What each probe proves is told in README.md.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::bubble {

class ProveInside final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

class ProveOutside final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::bubble
