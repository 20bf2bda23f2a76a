// What can be read about this host without asking anybody else: no directory, no DNS, no network file system.
// What cannot be read is left out, never guessed.
#pragma once

#include "plugins/sdk/context.h"

namespace reprise::host {

// os, kernel, hostname, uptime, cpu, memory, disks.
void AddMachine(sdk::Json& facts);
// addresses, listening ports.
void AddNetwork(sdk::Json& facts);
// packages (how many, and one hash of all), services that run, whether a restart is asked for.
void AddSoftware(sdk::Json& facts);

}  // namespace reprise::host
