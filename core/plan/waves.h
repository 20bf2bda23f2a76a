// In which wave each host of a stage stands: the canary, then the sizes in turn, the last one repeated. Pure.
// Private to core/plan.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/plan/targets.h"
#include "core/plan/workflow.h"

namespace reprise::plan {

// A plan of more waves is a slip of the pen: nobody would live to see the last.
inline constexpr size_t kWavesMax = 10'000;

// How many hosts each wave has, in order; their sum is `hosts`. Percentages are of all hosts, rounded up, so that a
// wave is never empty. No host: one empty wave. INVALID_ARGUMENT: more than kWavesMax waves.
absl::StatusOr<std::vector<uint32_t>> WaveSizes(const WavesSpec& waves, uint32_t hosts);

// The indexes of `targets` in the order in which they are placed; equals stay in the inventory's order. Numbers in
// texts count as numbers: ws-9 comes before ws-10. Hosts without a label come last.
std::vector<uint32_t> WaveOrder(const WavesSpec& waves, const std::vector<Target>& targets);

}  // namespace reprise::plan
