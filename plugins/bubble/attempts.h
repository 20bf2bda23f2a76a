// Tries to reach all of some targets at the same time, with real packets.
#pragma once

#include <chrono>
#include <vector>

#include "plugins/bubble/target.h"
#include "plugins/sdk/context.h"

namespace reprise::bubble {

// One attempt for each target, in their order; each has `wait`. Datagrams are sent three times.
std::vector<Attempt> TryAll(const sdk::Context& context, const std::vector<Target>& targets,
                            std::chrono::milliseconds wait);

}  // namespace reprise::bubble
