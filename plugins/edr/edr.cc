// Endpoint protection on a host. See README.md.
#include "plugins/edr/heartbeat.h"
#include "plugins/edr/install.h"
#include "plugins/edr/isolate.h"
#include "plugins/edr/scan.h"
#include "plugins/edr/uninstall.h"
#include "plugins/sdk/sdk.h"

using reprise::edr::Heartbeat;
using reprise::edr::Install;
using reprise::edr::Isolate;
using reprise::edr::Release;
using reprise::edr::Scan;
using reprise::edr::Uninstall;
REPRISE_PLUGIN("edr", "1.0.0", "Endpoint protection: sensors by profile, scans, isolation", Install, Heartbeat, Scan,
               Isolate, Release, Uninstall)
