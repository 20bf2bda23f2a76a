// The agent's key and certificate as it needs to see them: made, asked for, checked, and when to renew.
// Private keys are PEM and never leave the state folder.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/daemon/coordinator_link.h"
#include "core/base/clock.h"

namespace reprise::daemon {

// A new ECDSA P-256 key, PEM.
absl::StatusOr<std::string> NewHostKey();
// A request for a certificate for `host` with this key, PEM.
absl::StatusOr<std::string> MakeHostRequest(const std::string& key, const std::string& host);

struct Validity {
  UnixMs from = 0;
  UnixMs until = 0;

  // Half of its life is over.
  UnixMs RenewAt() const { return from + (until - from) / 2; }
};
absl::StatusOr<Validity> ReadValidity(const std::string& certificate);

// The certificate belongs to the key, comes from the authority and names this host and nobody else.
// UNAUTHENTICATED says which of these does not hold. Times are not looked at: this host's clock may be wrong.
absl::Status CheckIdentity(const Identity& identity, const std::string& host);

}  // namespace reprise::daemon
