// sanitize.signoff: nothing is found any more, everything was looked at, and the evidence is whole. The last word on a host.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::sanitize {

class Signoff final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::sanitize
