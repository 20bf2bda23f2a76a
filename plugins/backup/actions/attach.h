// Attaches a copy read-only on this host, and proves that it is. A verb cannot mount anything: a service does, the holder
// (plugins/backup/holder), which outlives the verb; probe and verify ask it for a new proof, and look for themselves.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::backup {

class Attach final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
  sdk::RollbackResult Rollback(sdk::Context& context) override;
};

}  // namespace reprise::backup
