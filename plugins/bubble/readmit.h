// bubble.readmit: posts and flows come back after the gateway's restart, or after its rules were gone, once the bubble
// is proven closed anew. Until then it is sealed, and this is the only way to take the seal off.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::bubble {

class Readmit final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
  sdk::RollbackResult Rollback(sdk::Context& context) override;
};

}  // namespace reprise::bubble
