// The library, loaded and initialised. Never unloaded: the process ends instead.
#pragma once

#include <string>

#include "plugins/api/reprise_plugin.h"

namespace reprise::plugin_host {

struct LoadedPlugin {
  const reprise_plugin_entry_t* entry = nullptr;
  const reprise_action_t* action = nullptr;
  std::string error;  // Not empty: it cannot be used, and why.
};

LoadedPlugin LoadPlugin(const std::string& file);

}  // namespace reprise::plugin_host
