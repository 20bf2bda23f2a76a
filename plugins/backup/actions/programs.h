// The programs that this plugin starts besides those of the system: they are installed where the plugin host is.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

#include "plugins/sdk/context.h"

namespace reprise::backup {

// What parameter `program` says, or `name` beside the plugin host, or in the usual places. Throws Error "not_found".
inline std::string ProgramFor(const sdk::Context& context, const std::string& name) {
  std::vector<std::filesystem::path> places;
  if (context.Has("program")) {
    places.emplace_back(context.Param("program"));
  } else {
    std::error_code ignored;
    places.push_back(std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / name);
    for (const char* folder : {"/usr/bin", "/usr/libexec/reprise", "/usr/local/bin"}) {
      places.push_back(std::filesystem::path(folder) / name);
    }
  }
  for (const auto& place : places) {
    if (place.is_absolute() && access(place.c_str(), X_OK) == 0) return place.string();
  }
  throw sdk::Error("not_found", "program " + name + " is not on this host" + (context.Has("program") ? ": " + places[0].string() : ""),
                   "install it beside reprise-plugin-host, or name it in parameter program");
}

}  // namespace reprise::backup
