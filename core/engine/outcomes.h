// What an agent's word about a task means: accepted, ended so or so, and what follows for its target.
// Internal to core/engine.
#pragma once

#include "core/engine/desk.h"

namespace reprise::engine {

class Outcomes {
 public:
  explicit Outcomes(Desk& desk) : desk_(desk) {}

  void OnAccepted(HostBook& host, const agent::v1::TaskKey& key);
  // Journalled, then acknowledged. What cannot be journalled is not acknowledged: the agent keeps it.
  void OnFinished(HostBook& host, const agent::v1::Finished& finished);

  // The target that the key speaks of, if this host has it; nothing is said of the attempt.
  bool Find(const HostBook& host, const agent::v1::TaskKey& key, RunBook** run, TargetId* id);

 private:
  Desk& desk_;
};

}  // namespace reprise::engine
