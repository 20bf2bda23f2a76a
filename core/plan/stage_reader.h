// Reads one item of a workflow's `stages:`. Private to core/plan: use ReadWorkflow.
#pragma once

#include <optional>
#include <string>

#include "core/plan/workflow.h"

namespace reprise::plan {

StageSpec ReadStage(const Node& node, Diagnostics& diagnostics);
StepSpec ReadStep(const Node& node, Diagnostics& diagnostics);
WavesSpec ReadWaves(const Node& node, const std::string& stage, Diagnostics& diagnostics);
GateSpec ReadGate(const Node& node, Diagnostics& diagnostics);
BudgetSpec ReadBudget(const Node& node, Diagnostics& diagnostics);
std::vector<TokenSpec> ReadTokens(const Node& node, const std::string& what, Diagnostics& diagnostics);

}  // namespace reprise::plan
