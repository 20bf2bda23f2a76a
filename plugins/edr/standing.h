// What a host has, beside what the profile and the step's artifacts want: the ground of install's probe, plan and apply.
// Looks, changes nothing.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "plugins/edr/dpkg.h"
#include "plugins/edr/profile.h"
#include "plugins/sdk/results.h"
#include "plugins/sdk/service.h"

namespace reprise::edr {

struct Standing {
  std::vector<Deb> debs;                                    // To install, in the profile's order.
  std::vector<FileRule> files;                              // To write.
  std::map<std::string, std::filesystem::path> signatures;  // To copy: name -> artifact.
  bool run_script = false;                                  // To write.
  bool sensor_installed = false;                            // Every package that is the sensor itself.
  sdk::ServiceState service = sdk::ServiceState::kUnknown;
  std::vector<sdk::Change> changes;                         // All of this, for people.

  // The service apart.
  bool IsAsWanted() const { return changes.empty(); }
  bool IsRunning() const { return service == sdk::ServiceState::kRunning; }
};

// Throws Error "artifact_missing", "artifact_ambiguous", "bad_artifact".
Standing LookAt(const sdk::Context& context, const Profile& profile, const sdk::Services& services);

// The service's name under the host's supervisor. Throws Error "no_supervisor" or "bad_profile".
std::string ServiceName(const Profile& profile, const sdk::Services& services);

// The sensor's packages (not its dependencies) that are on this host in any form.
std::vector<std::string> SensorPackagesHere(const sdk::Context& context, const Profile& profile);

}  // namespace reprise::edr
