// Whether a host may be declared as an inventory says it. The planner has read the document already; what comes over the
// wire was perhaps made by something else. Internal to core/engine.
#pragma once

#include "absl/status/status.h"
#include "reprise/journal/v1/event.pb.h"

namespace reprise::engine {

// INVALID_ARGUMENT names the host and what is wrong with it.
absl::Status CheckDeclared(const journal::v1::InventoryHost& host);

}  // namespace reprise::engine
