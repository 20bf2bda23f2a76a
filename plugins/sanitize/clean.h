// sanitize.clean: takes exactly the findings away that the plan names, none that the evidence does not hold.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::sanitize {

class Clean final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
  sdk::RollbackResult Rollback(sdk::Context& context) override;
};

}  // namespace reprise::sanitize
