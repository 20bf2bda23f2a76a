// A run as people see it in a terminal: a head, its stages and waves, its gates, and every host that needs a person's
// eye. Prints to the terminal's out(); nothing here asks the coordinator.
#pragma once

#include <string>

#include "core/cli/context.h"
#include "core/cli/exit_codes.h"
#include "core/cli/table.h"

namespace reprise::cli {

// Words of the vocabulary in the colour that says how they are meant.
Cell StateCell(model::v1::RunState state);
Cell StateCell(model::v1::StageState state);
Cell StateCell(model::v1::WaveState state);
Cell StateCell(model::v1::GateState state);
Cell StateCell(model::v1::TargetState state);

// Targets that came to an end, whatever it was; deferred ones may still come back.
uint32_t Ended(const ops::TargetCounts& counts);
// "6 of 10 succeeded, 1 failed, 2 at work, 1 waiting": what is nought is not said, but for the first.
std::string CountsText(const ops::TargetCounts& counts);
// "before stage protect", "before protect/wave-1"
std::string GatePlace(const ops::RunView& run, const ops::GateView& gate);

void PrintRunHead(Context& context, const ops::RunView& run);
void PrintStages(Context& context, const ops::RunView& run);
// Nothing when the run has no gates.
void PrintGates(Context& context, const ops::RunView& run);
enum class TargetsShown { kTroubled, kAll };
// Those of a view that has targets, with -o wide also what their steps proved; and whom the plan left out.
void PrintTargets(Context& context, const ops::RunView& run, TargetsShown shown);

// What people should do next about it, one line each; nothing when there is nothing.
void PrintNext(Context& context, const ops::RunView& run);

// Succeeded 0, partial 6, failed or aborted 1; still going: 0.
ExitCode ExitCodeOfRun(const ops::RunView& run);

}  // namespace reprise::cli
