// The actions that judge recovery points. `judge` only reads: it may be run at any time, by anyone who may plan. What it does
// when it is killed is lost, unless `judge-resumable` has kept records that it finds; that one writes them, in this plugin's
// own folder, and goes on from them after a kill, a cut, a reboot.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::backup {

class Judge final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

// Holds when every file has a record that still counts.
class JudgeResumable final : public sdk::Action {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;
};

}  // namespace reprise::backup
