// The order in which stages may run: `after:` as indexes, without circles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/plan/workflow.h"

namespace reprise::plan {

// For each stage the indexes of those it comes after, each once. Unknown names and circles (drawn: "a -> b -> a") are
// reported.
std::vector<std::vector<uint32_t>> OrderStages(const std::vector<StageSpec>& stages, Diagnostics& diagnostics);

}  // namespace reprise::plan
