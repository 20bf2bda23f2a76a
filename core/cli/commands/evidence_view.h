// What each step of a run's hosts proved, in lines that a person reads: its summary, its evidence, what it observed.
#pragma once

#include <vector>

#include "core/cli/context.h"

namespace reprise::cli {

// Of steps that left evidence; nothing where none did. What a step observed is cut after forty lines: -o json has it all.
void PrintEvidence(Context& context, const std::vector<const ops::TargetView*>& targets);

}  // namespace reprise::cli
