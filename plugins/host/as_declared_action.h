// host.as-declared: whether this host is what the inventory says of it. What differs is named, with what was declared and what
// was found; which of both is right, people decide.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::host {

class AsDeclaredAction final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::host
