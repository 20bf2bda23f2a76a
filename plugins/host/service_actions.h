// host.service: a service runs, or is stopped. host.service-running: does it?
// Under systemd or runit, whichever runs the host.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::host {

class ServiceAction final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  // Looks twice, `settle` apart: a service that ends at once and is started again does not pass. Asks the kernel too.
  sdk::VerifyResult Verify(sdk::Context& context) override;
  sdk::RollbackResult Rollback(sdk::Context& context) override;
};

class ServiceRunningAction final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::host
