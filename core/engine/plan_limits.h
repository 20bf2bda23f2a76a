// What a plan may ask for when it is handed in: durations that the clock can carry, words of the vocabulary, parts that can
// be sent. Beside PlanIndex::Read, which also reads what the journal took in earlier days and must go on reading.
// Internal to core/engine and core/coordinator.
#pragma once

#include "absl/status/status.h"
#include "core/engine/plan_index.h"

namespace reprise::engine {

// INVALID_ARGUMENT names the stage, step or host, what was found and what may be.
absl::Status CheckPlanLimits(const PlanIndex& plan);

}  // namespace reprise::engine
