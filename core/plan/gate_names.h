// What the gates of a stage are called, in one place: people decide gates by these names. Private to core/plan.
#pragma once

#include <string>

#include "core/plan/workflow.h"

namespace reprise::plan {

// "canary" for the first of a stage with a canary; else "wave-1", "wave-2", …
std::string WaveName(const WavesSpec& waves, uint32_t wave);

// Of the gate before the whole stage: its own name, else the stage's.
std::string StageGateName(const StageSpec& stage);

// Of the gate before a wave: its own name, else the stage's with the wave's. One gate that stands before every wave is
// called by the wave in any case.
std::string WaveGateName(const StageSpec& stage, uint32_t wave);

// The canary's gate stands before the wave after it, the gate of `gate_each` before every wave but the first.
bool HasGateBefore(const StageSpec& stage, uint32_t wave);

}  // namespace reprise::plan
