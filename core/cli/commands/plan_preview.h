// A dry run: every host of a plan is asked what each step would do there. What could not be told is unknown, and said
// to be; it is never taken for "no change".
#pragma once

#include <string>
#include <vector>

#include "core/cli/context.h"
#include "core/plan/compile.h"

namespace reprise::cli {

struct StepPreview {
  enum class Answer { kUnknown, kNothing, kChanges };
  std::string host;
  std::string stage;
  std::string step;
  Answer answer = Answer::kUnknown;
  std::vector<std::string> changes;  // "file /etc/motd: old -> new"
  std::string summary;
  std::string error;  // Of kUnknown: why.
};

struct PlanPreview {
  std::vector<StepPreview> steps;  // In the order of hosts, stages, steps; every one that the plan has.

  size_t Count(StepPreview::Answer answer) const;
  // Something would change, or cannot be ruled out.
  bool Pending() const { return Count(StepPreview::Answer::kNothing) < steps.size(); }
};

// Which answer a plugin's `plan` verb gave.
StepPreview ReadPreview(const ops::HostPreview& answer);

absl::StatusOr<PlanPreview> Preview(Context& context, const plan::CompiledPlan& plan);
void PrintPreview(Context& context, const PlanPreview& preview);
Json PreviewAsJson(const PlanPreview& preview);

}  // namespace reprise::cli
