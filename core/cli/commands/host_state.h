// How a host really stands, in words: what people ask first.
#pragma once

#include "core/cli/context.h"
#include "core/cli/table.h"

namespace reprise::cli {

// "connected", "silent, not admitted", "connected, on hold", "not enrolled", "no agent"
Cell HostStateCell(const ops::HostView& host);
// "edr.protected holds, patch.level fails"
Cell ClaimsCell(const ops::HostView& host);

}  // namespace reprise::cli
