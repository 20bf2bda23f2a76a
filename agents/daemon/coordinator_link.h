// The port to the coordinator: one stream of messages, and the two calls beside it. No gRPC in sight.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "reprise/agent/v1/agent.pb.h"

namespace reprise::daemon {

// What proves who the agent is, and whom it believes. PEM.
struct Identity {
  std::string ca;
  std::string certificate;
  std::string key;
};

class CoordinatorLink {
 public:
  // Called from any thread; neither may block.
  struct Events {
    // The next batch is not read before `taken` is called: the reader sets the pace.
    std::function<void(uint64_t session, std::vector<agent::v1::CoordinatorMessage> messages,
                       std::function<void()> taken)>
        said;
    // Once for each Open.
    std::function<void(uint64_t session, absl::Status status)> closed;
  };

  virtual ~CoordinatorLink() = default;

  // Opens a stream with a fresh connection. What is sent before it stands is sent when it does.
  virtual void Open(uint64_t session, const Identity& identity) = 0;
  // Nothing when `session` is not the open one. A stream that takes nothing any more is closed, not queued up without
  // end.
  virtual void Send(uint64_t session, std::vector<agent::v1::AgentMessage> messages) = 0;
  virtual void Close() = 0;

  // Blocks. UNAVAILABLE: no coordinator at present, or it was cut; what was received stands.
  // Ends early with the error that `take` returns.
  virtual absl::Status Fetch(const std::string& sha256, uint64_t offset,
                             const std::function<absl::Status(std::string_view data, uint64_t total)>& take) = 0;
  // Blocks. The new certificate, PEM.
  virtual absl::StatusOr<std::string> Renew(const std::string& csr) = 0;
};

}  // namespace reprise::daemon
