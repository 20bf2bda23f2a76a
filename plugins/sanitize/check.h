// sanitize.check: is this host as it should be? Looks, changes nothing.
#pragma once

#include "plugins/sanitize/report.h"
#include "plugins/sdk/action.h"

namespace reprise::sanitize {

class Check final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::sanitize
