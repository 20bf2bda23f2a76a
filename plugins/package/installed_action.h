// package.installed: looks whether a package is installed, in a version if one is given.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::package {

class InstalledAction final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::package
