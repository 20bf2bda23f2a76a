// What a descriptor must say, whatever the plugin does.
#pragma once

#include <vector>

#include "agents/runner/conformance/report.h"

namespace reprise::conformance {

// One check for the plugin, two for each action: "descriptor is complete", "parameters have a schema".
std::vector<Check> CheckDescriptor(const nlohmann::json& descriptor);

}  // namespace reprise::conformance
