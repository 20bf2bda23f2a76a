// The conformance kit: runs any plugin against the contract, with the runner that the agent uses, and says which
// promises it keeps. As root everything runs in throw-away file systems: nothing that the plugin writes to files
// reaches this host (what it does over the network, or to services by their sockets, would).
//
// Call from a process with one thread: it forks. For `reprise plugin verify`.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "agents/runner/conformance/report.h"

namespace reprise::conformance {

struct ConformanceOptions {
  std::filesystem::path plugin;       // The library.
  std::filesystem::path plugin_host;  // reprise-plugin-host
  // {"ACTION": {parameters}, …}, or the parameters themselves for a plugin with one action. What is missing is made up
  // from the action's schema. Empty: all of it.
  std::string params_json;
  std::string only_action;            // Empty: all.
  std::map<std::string, std::filesystem::path> artifacts;  // Name and file: given to every verb of every action.
  // Where no throw-away file system can be had: run what changes on this host itself.
  bool on_this_host = false;
};

// NOT_FOUND, INVALID_ARGUMENT: a file or params_json. A plugin that cannot even be loaded is a report that failed.
absl::StatusOr<Report> VerifyPlugin(const ConformanceOptions& options);

}  // namespace reprise::conformance
