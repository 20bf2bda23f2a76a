// edr.isolate and edr.release: the host's network cut but for a few addresses, and given back.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::edr {

class Isolate final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
  sdk::RollbackResult Rollback(sdk::Context& context) override;
};

class Release final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
};

}  // namespace reprise::edr
