// edr.uninstall: the sensor is gone, with its configuration, base and logs. Cannot be undone.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::edr {

class Uninstall final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
};

}  // namespace reprise::edr
