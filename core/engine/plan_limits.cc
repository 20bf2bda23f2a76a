#include "core/engine/plan_limits.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/model/size_limits.h"

namespace reprise::engine {
namespace {

constexpr int64_t kRepeatMin = 1'000;

template <typename... Parts>
absl::Status Refused(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("the plan cannot be taken: ", parts...));
}

absl::Status CheckDuration(const std::string& whose, const char* what, int64_t ms, int64_t least = 0) {
  if (ms >= least && ms <= model::kDurationMax) return absl::OkStatus();
  return Refused(whose, ": ", what, " is ", ms, " ms; expected from ", FormatDurationMs(least), " to ",
               FormatDurationMs(model::kDurationMax));
}

absl::Status CheckStepLimits(const plan::v1::Step& step, const std::string& stage) {
  const std::string whose = absl::StrCat("step ", step.name(), " of ", stage);
  RETURN_IF_ERROR(CheckDuration(whose, "its timeout", step.timeout_ms(), 1));
  RETURN_IF_ERROR(CheckDuration(whose, "its backoff", step.backoff_ms()));
  RETURN_IF_ERROR(CheckDuration(whose, "its longest backoff", step.backoff_max_ms()));
  if (!model::v1::Effect_IsValid(step.effect())) return Refused(whose, ": effect ", step.effect(), " is not known");
  if (!model::v1::OnFailure_IsValid(step.on_failure())) {
    return Refused(whose, ": what to do on failure, ", step.on_failure(), ", is not known");
  }
  return absl::OkStatus();
}

absl::Status CheckStageLimits(const plan::v1::Stage& stage) {
  const std::string whose = absl::StrCat("stage ", stage.name());
  RETURN_IF_ERROR(CheckDuration(whose, "the silence after which a host is unreachable", stage.unreachable_after_ms()));
  if (stage.repeat_ms() != 0) {
    RETURN_IF_ERROR(CheckDuration(whose, "the time until it is repeated", stage.repeat_ms(), kRepeatMin));
  }
  for (const auto& requirement : stage.requirements()) {
    RETURN_IF_ERROR(CheckDuration(absl::StrCat(whose, ", which requires ", requirement.claim(), " of ", requirement.host()),
                                  "the greatest age of the proof", requirement.within_ms()));
  }
  if (!model::v1::Unreachable_IsValid(stage.unreachable())) {
    return Refused(whose, ": what to do about hosts out of reach, ", stage.unreachable(), ", is not known");
  }
  for (const auto& step : stage.steps()) RETURN_IF_ERROR(CheckStepLimits(step, whose));
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPlanLimits(const PlanIndex& plan) {
  const UnixMs created = plan.statement.created;
  if (plan.statement.expires < created || plan.statement.expires - created > model::kDurationMax) {
    return Refused("it is made at ", FormatTime(created), " and expires at ", FormatTime(plan.statement.expires),
                 "; expected at most ", FormatDurationMs(model::kDurationMax), " later");
  }
  for (const auto& stage : plan.header.stages()) RETURN_IF_ERROR(CheckStageLimits(stage));
  for (const auto& leaf : plan.leaves) {
    if (!model::v1::Zone_IsValid(leaf.zone())) return Refused(leaf.host(), " is in zone ", leaf.zone(), ", which is not known");
    if (!model::v1::AssetClass_IsValid(leaf.asset_class())) {
      return Refused(leaf.host(), " is of class ", leaf.asset_class(), ", which is not known");
    }
  }
  return model::CheckPlanTravels(plan.statement_bytes.size(), plan.header, plan.header_bytes.size(), plan.leaves,
                                 plan.leaf_bytes);
}

}  // namespace reprise::engine
