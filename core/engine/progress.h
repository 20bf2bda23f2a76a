// How a run goes forward as a whole: budgets, gates that become ready, stages and waves that start and settle, the end.
// Internal to core/engine.
#pragma once

#include <string>

#include "core/engine/desk.h"

namespace reprise::engine {

class Progress {
 public:
  explicit Progress(Desk& desk) : desk_(desk) {}

  // Emits what follows by itself from the run's present state. Nothing to say twice: called again, it is silent.
  void Advance(RunBook& run);
  void Pause(RunBook& run, const std::string& code, const std::string& reason);

 private:
  void CheckBudgets(RunBook& run);
  void Settle(RunBook& run);
  // Those whose time has come again; gives when the next one's comes.
  UnixMs RepeatStages(RunBook& run);
  void StartStages(RunBook& run);
  void StartWaves(RunBook& run);
  void CheckEnd(RunBook& run);
  void End(RunBook& run, model::v1::RunState state, const std::string& reason);
  bool MayStart(const RunBook& run) const;
  // Makes the gate ready when its time has come. True when it, and people's decisions behind it, let pass now.
  bool PassGate(RunBook& run, uint32_t stage, int32_t wave);
  bool PassGatesBefore(RunBook& run, uint32_t stage, uint32_t wave);

  Desk& desk_;
};

}  // namespace reprise::engine
