// What was last attempted on each host for the sake of a claim: the newest run in which the claim's plugin (the word before
// its dot) has a step, and how that ended for the host, or why its plan left the host out. Rehearsals do not count.
// Private to core/report.
#pragma once

#include <string>
#include <unordered_map>

#include "core/engine/engine.h"

namespace reprise::report::internal {

struct NewestTry {
  uint64_t run = 0;
  const plan::v1::Exclusion* exclusion = nullptr;      // One of these two is set.
  const journal::v1::TargetRecord* target = nullptr;
  const plan::v1::Stage* stage = nullptr;              // Of the target.
};

// By the host's name. Points into the engine's state.
std::unordered_map<std::string, NewestTry> NewestTries(const engine::Engine& engine, const std::string& claim);

}  // namespace reprise::report::internal
