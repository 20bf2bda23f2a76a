// package.install: packages (.deb) of the step's artifacts are installed, in exactly these versions. From files only,
// never from a network repository.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::package {

class InstallAction final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  // A failure leaves nothing new behind. After a kill, the next try finishes what was interrupted.
  sdk::ApplyResult Apply(sdk::Context& context) override;
  // The files on the host are those in the packages, by the packages' own sums.
  sdk::VerifyResult Verify(sdk::Context& context) override;
  // Removes what this step brought and was not there before. What it replaced cannot be put back, and is said to be so.
  sdk::RollbackResult Rollback(sdk::Context& context) override;
};

}  // namespace reprise::package
