// Orthanc as a service of this host: its folders, its configuration, its confinement, up and down.
#pragma once

#include <string>
#include <vector>

#include "plugins/pacs/place.h"
#include "plugins/pacs/settings.h"
#include "plugins/sdk/application/supervised.h"
#include "plugins/sdk/results.h"

namespace reprise::pacs {

// Runs as `user`, in bubblewrap, and sees its own folders only: not the restored storage, nothing of the host.
sdk::application::ServiceSpec ServiceOf(const Place& place, const std::string& user);

// What stands between the host as it is and the server running as wanted; empty: nothing.
std::vector<sdk::Change> ChangesToRun(const sdk::Context& context, const sdk::Services& services, const Place& place,
                                      const Settings& wanted, const std::string& user);

// Folders, configuration, service; returns once it answers. Throws Error "no_user", "no_program", "service_failed".
void BringUp(const sdk::Context& context, const sdk::Services& services, const Place& place, const Settings& wanted,
             const std::string& user);

// Lets it write what it has and end; it stays down until it is started. True if it ran.
bool TakeDown(const sdk::Context& context, const sdk::Services& services, const Place& place);

// Empty: its REST interface answers as this server; else why not.
std::string WhyNotAnswering(const sdk::Context& context, const Settings& settings);

}  // namespace reprise::pacs
