// package.remove: a package is gone, with its configuration. Never an essential one; what depends on it goes only if
// that was asked for.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::package {

class RemoveAction final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  // By dpkg's files, not by asking dpkg.
  sdk::VerifyResult Verify(sdk::Context& context) override;
};

}  // namespace reprise::package
