// bubble.open_flow and bubble.close_flow: one way through, by a decision, for a time. The kernel of the gateway ends
// it, with what runs on it, even if everything else is dead. A decision opens a way once.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::bubble {

class OpenFlow final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
  sdk::RollbackResult Rollback(sdk::Context& context) override;
};

class CloseFlow final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
};

}  // namespace reprise::bubble
