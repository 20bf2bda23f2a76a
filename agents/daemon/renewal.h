// The agent's identity and its renewal: at half of the certificate's life a new one is asked for, over the stream's
// connection, with the same key. It serves from the next connection on, which is why there should soon be one.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "agents/daemon/coordinator_link.h"
#include "agents/daemon/host_certificate.h"
#include "agents/daemon/state_folder.h"
#include "core/base/clock.h"

namespace reprise::daemon {

class Renewal {
 public:
  // UNAUTHENTICATED or INVALID_ARGUMENT when the folder's identity is not this host's.
  static absl::StatusOr<std::unique_ptr<Renewal>> Open(const StateFolder& folder, const std::string& host,
                                                       const Clock& clock);

  Identity Current() const;  // [any thread]
  Identity ForSession();     // The same, for a session that is about to be opened. [any thread]
  // Renewed since the last session was opened: a new one ends whatever the certificate before was still good for.
  bool WantsSession() const;  // [any thread]
  // Half of its life is over, and the last try is not of this minute. [any thread]
  bool Due();
  // Blocks. [one thread]
  absl::Status Renew(CoordinatorLink& link);
  // What to tell a person when the certificate is not valid now; empty: it is.
  std::string Trouble() const;

 private:
  Renewal(StateFolder folder, std::string host, const Clock& clock, Identity identity, Validity validity)
      : folder_(std::move(folder)),
        host_(std::move(host)),
        clock_(clock),
        identity_(std::move(identity)),
        validity_(validity) {}

  const StateFolder folder_;
  const std::string host_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  Identity identity_;
  Validity validity_;
  bool wants_session_ = false;
  std::chrono::steady_clock::time_point next_try_ = {};
};

}  // namespace reprise::daemon
