// The sensor's service, kept running by the host's supervisor, and waited for until the sensor itself answers.
#pragma once

#include <string>

#include "plugins/edr/profile.h"
#include "plugins/sdk/service.h"

namespace reprise::edr {

// Makes the service known, starts it (or restarts it, if it runs with something old) and waits until the sensor answers.
// Throws Error "service_failed" with the end of the sensor's log.
void BringUp(const sdk::Context& context, const Profile& profile, const sdk::Services& services);

// Stops it, and takes it from the supervisor. True if there was anything.
bool TakeDown(const sdk::Context& context, const Profile& profile, const sdk::Services& services);

}  // namespace reprise::edr
