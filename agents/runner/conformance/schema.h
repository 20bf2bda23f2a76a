// JSON Schema draft 7, as parameters of actions use it. The validator's headers stay in schema.cc.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace reprise::conformance {

// Empty if `schema` can be read as a schema; else why not.
std::string WhyNotASchema(const nlohmann::json& schema);

// Empty if `value` satisfies it; else the first thing that does not. REQUIRES: it is a schema.
std::string WhyNotValid(const nlohmann::json& schema, const nlohmann::json& value);

}  // namespace reprise::conformance
