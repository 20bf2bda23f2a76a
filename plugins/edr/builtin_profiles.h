// The profiles that are part of the plugin, as the texts of profiles/*.json, by their names.
#pragma once

#include <map>
#include <string>

namespace reprise::edr {

const std::map<std::string, std::string>& BuiltinProfiles();

}  // namespace reprise::edr
