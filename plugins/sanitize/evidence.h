// sanitize.evidence: copies what was found, before anybody touches it. Takes nothing away.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::sanitize {

class TakeEvidence final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
};

}  // namespace reprise::sanitize
