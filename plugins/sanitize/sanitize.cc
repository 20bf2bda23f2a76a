// Suspicious servers: examined, their evidence kept, cleaned of exactly what was found, examined again.
#include "plugins/sanitize/check.h"
#include "plugins/sanitize/clean.h"
#include "plugins/sanitize/evidence.h"
#include "plugins/sanitize/signoff.h"
#include "plugins/sdk/sdk.h"

namespace {
using reprise::sanitize::Check;
using reprise::sanitize::Clean;
using reprise::sanitize::Signoff;
using reprise::sanitize::TakeEvidence;
}  // namespace

REPRISE_PLUGIN("sanitize", "0.1.0", "Suspicious servers: check, evidence, clean, sign off", Check, TakeEvidence, Clean, Signoff)
