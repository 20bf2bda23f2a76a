// Takes a copy into custody: its manifest, and a record of who did that, by whose decision, when and where. Verify reads the
// copy again, all of it or a sample.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::backup {

class Custody final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
};

}  // namespace reprise::backup
