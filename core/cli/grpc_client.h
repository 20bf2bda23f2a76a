// The Client over gRPC with the certificate of a profile. The coordinator is known by the site's own authority and by the
// name "reprise-coordinator", whatever address it has today.
#pragma once

#include <cstdint>
#include <memory>

#include "core/cli/client.h"
#include "core/cli/profile.h"

namespace reprise::cli {

// `timeout_ms`: of a call, and between the parts of an upload; 0: the default of 30 s. Watching has none unless it is given.
std::unique_ptr<Client> ConnectOverGrpc(const Profile& profile, int64_t timeout_ms);

}  // namespace reprise::cli
