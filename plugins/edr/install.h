// edr.install: the sensor on the host, running, and proven to find EICAR.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::edr {

class Install final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
  sdk::RollbackResult Rollback(sdk::Context& context) override;
};

// The parameter that every action on a sensor has.
sdk::Param ProfileParam();

}  // namespace reprise::edr
