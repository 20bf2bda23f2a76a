// host.file-absent: a file is gone, for good. Removes a symbolic link itself, never what it leads to; no folders.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::host {

class FileAbsentAction final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  // By the list of its folder, not by its name.
  sdk::VerifyResult Verify(sdk::Context& context) override;
};

}  // namespace reprise::host
