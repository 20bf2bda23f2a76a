// One value of a parameter, of its declared type. Private to core/plan.
#pragma once

#include <optional>
#include <string>

#include "core/plan/diagnostics.h"
#include "core/plan/workflow.h"

namespace reprise::plan {

// "a whole number", "a duration such as 90s, 15m, 24h or 1h30m", …
std::string ExpectedOf(ParameterType type);

// The node as a value of the type; nullopt: it is none, which has been reported as "`what` is …", the value left out
// when it is secret.
std::optional<Json> ReadParameterValue(const Node& node, ParameterType type, const std::string& what, bool secret,
                                       Diagnostics& diagnostics);

// Whether the value is one of `enum:`; each item of a list must be. Reports.
bool CheckChoice(const ParameterSpec& spec, const Json& value, Place place, Diagnostics& diagnostics);

// As it may be shown: a text bare, all else as JSON.
std::string ShownValue(const Json& value);

}  // namespace reprise::plan
