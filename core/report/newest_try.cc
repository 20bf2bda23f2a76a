#include "core/report/newest_try.h"

#include <algorithm>

namespace reprise::report::internal {
namespace {

bool Uses(const plan::v1::PlanHeader& header, const plan::v1::Stage& stage, const std::string& plugin) {
  return std::any_of(stage.steps().begin(), stage.steps().end(), [&](const plan::v1::Step& step) {
    return header.plugins(static_cast<int>(step.plugin())).name() == plugin;
  });
}

}  // namespace

std::unordered_map<std::string, NewestTry> NewestTries(const engine::Engine& engine, const std::string& claim) {
  std::unordered_map<std::string, NewestTry> tries;
  const std::string plugin = claim.substr(0, claim.find('.'));
  const auto& runs = engine.state().runs();
  for (int r = runs.size() - 1; r >= 0; --r) {
    const engine::PlanIndex* plan = engine.FindPlan(runs.Get(r).plan_id());
    if (plan == nullptr || plan->header.exercise()) continue;
    for (int s = runs.Get(r).stages_size() - 1; s >= 0; --s) {
      const plan::v1::Stage& stage = plan->header.stages(s);
      if (!Uses(plan->header, stage, plugin)) continue;
      for (const auto& target : runs.Get(r).stages(s).targets()) {
        const NewestTry here{runs.Get(r).id(), nullptr, &target, &stage};
        const auto [found, is_new] = tries.try_emplace(plan->leaves[target.host()].host(), here);
        // A stage that was skipped says only that one before it did not come through: that one knows why.
        const NewestTry& later = found->second;
        const bool skipped = later.target != nullptr && later.target->state() == model::v1::TARGET_STATE_SKIPPED;
        if (!is_new && later.run == here.run && skipped) found->second = here;
      }
      for (const auto& exclusion : plan->annex.exclusions()) {
        if (exclusion.stage() != static_cast<uint32_t>(s)) continue;
        tries.try_emplace(exclusion.host(), NewestTry{runs.Get(r).id(), &exclusion, nullptr, nullptr});
      }
    }
  }
  return tries;
}

}  // namespace reprise::report::internal
