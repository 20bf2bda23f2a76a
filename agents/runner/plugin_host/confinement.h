// What the plugin host takes away from itself before the library is loaded, for its constructors run as soon as it is.
// Irrevocable; children inherit it. Namespaces are made by the runner, around this process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reprise::plugin_host {

struct Limits {
  int64_t memory_mb = 512;  // Address space.
  int64_t file_mb = 16384;  // The largest file.
  int64_t open_files = 1024;
  std::vector<int> cgroups;  // Descriptors of cgroup.procs files to join.
};

// Empty, or what could not be done: then nothing may be loaded.
std::string Confine(const Limits& limits);

}  // namespace reprise::plugin_host
