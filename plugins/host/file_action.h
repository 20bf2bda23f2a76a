// host.file: a file has a content, a mode and an owner. Rollback puts back what was there before.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::host {

class FileAction final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  // By sha256sum and stat: other programs than the one that wrote.
  sdk::VerifyResult Verify(sdk::Context& context) override;
  sdk::RollbackResult Rollback(sdk::Context& context) override;
};

}  // namespace reprise::host
