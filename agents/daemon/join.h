// `reprise-agent join`: makes a key, asks for a certificate with a one-time code, pins the site's keyring, and leaves a
// state folder that `reprise-agent run` can use. On a folder that was enrolled before, it renews the identity and keeps
// everything the agent remembers.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "agents/daemon/join_client.h"

namespace reprise::daemon {

struct JoinOptions {
  std::string join_address;     // HOST:PORT of the join port.
  std::string code;             // "<host>:<secret>:<CA's SHA-256>:<keyring's fingerprint>"
  std::string connect_address;  // Of the agents' port; empty: as the coordinator says.
  std::filesystem::path state;
};

struct JoinCode {
  std::string host;
  std::string secret;
  std::string ca_fingerprint;
  std::string keyring_fingerprint;
};
// INVALID_ARGUMENT says what is wrong; the message never holds the secret.
absl::StatusOr<JoinCode> ReadJoinCode(const std::string& text);

// "HOST:PORT" to connect to: what was asked for, else what the coordinator said, with the host that answered the join
// where it only said a port or a wildcard.
std::string ConnectAddress(const std::string& asked, const std::string& said, const std::string& join_address);

using JoinPort = std::function<absl::StatusOr<JoinReply>(const JoinRequest&)>;
// Gives the name of the host that was enrolled.
absl::StatusOr<std::string> RunJoin(const JoinOptions& options, const JoinPort& port);

}  // namespace reprise::daemon
