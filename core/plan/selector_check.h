// Whether what a stage's selector names exists: parameters, hosts, labels. A name that nobody has is a slip of the pen,
// and in an emergency a slip means a host that is silently not treated. Private to core/plan.
#pragma once

#include <map>
#include <set>
#include <string>

#include "core/plan/diagnostics.h"
#include "core/plan/inventory.h"
#include "core/plan/parameters.h"
#include "core/plan/workflow.h"

namespace reprise::plan {

// From a label's key to the values that hosts have. Made once for an inventory.
using LabelIndex = std::map<std::string, std::set<std::string>, std::less<>>;
LabelIndex IndexLabels(const Inventory& inventory);

// Puts the parameters' values into the selector, then looks up what it names. False: something is wrong, and reported.
// A value that no host has for a label is a warning: it may be meant for hosts that are still to come.
bool BindSelector(StageSpec& stage, const Workflow& workflow, const ParameterValues& values, const Inventory& inventory,
                  const LabelIndex& labels, Diagnostics& diagnostics);

// The labels by which waves are ordered.
void CheckOrderKeys(const StageSpec& stage, const LabelIndex& labels, Diagnostics& diagnostics);

}  // namespace reprise::plan
