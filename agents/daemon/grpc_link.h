// The link over gRPC with mutual TLS.
#pragma once

#include <memory>
#include <string>

#include "agents/daemon/coordinator_link.h"

namespace reprise::daemon {

// `address` is HOST:PORT. Its name is not looked at: the certificate must be the coordinator's, under the pinned CA.
std::unique_ptr<CoordinatorLink> MakeGrpcLink(const std::string& address, CoordinatorLink::Events events);

}  // namespace reprise::daemon
