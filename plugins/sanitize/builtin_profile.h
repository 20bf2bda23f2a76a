// profiles/debian.json, as a part of the plugin.
#pragma once

namespace reprise::sanitize {

extern const char* const kBuiltinProfile;

}  // namespace reprise::sanitize
