// Parameters to try an action with: reasonable ones made from its schema, and hostile ones.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace reprise::conformance {

// Where paths of sample parameters point.
inline constexpr const char* kSampleFolder = "/var/tmp/reprise-verify";

// What the schema requires, with defaults, first words of enumerations, and paths below kSampleFolder. `given` wins.
nlohmann::json SampleParams(const nlohmann::json& schema, const nlohmann::json& given);

// The names of parameters marked "writeOnly": secrets.
std::vector<std::string> SecretNames(const nlohmann::json& schema);

struct Hostile {
  std::string what;  // "path is a string of 1 MB"
  nlohmann::json params;
};
// Each differs from `sample` in one parameter.
std::vector<Hostile> HostileParams(const nlohmann::json& schema, const nlohmann::json& sample);

}  // namespace reprise::conformance
