// The certificates of simulated hosts, and a site that knows these hosts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise::bench {

struct Identity {
  std::string ca;
  std::string certificate;
  std::string key;
};

// DIR/ca.crt, DIR/<host>.crt and DIR/<host>.key, PEM.
struct IdentityFolder {
  std::filesystem::path path;

  std::vector<std::string> Hosts() const;  // Sorted.
  absl::StatusOr<Identity> Read(const std::string& host) const;
};

struct EnrolOptions {
  std::filesystem::path coordinator;  // Its data folder; it does not run now.
  std::string operator_name;          // An admin of its keyring …
  std::filesystem::path secret_key;   // … whose key in clear this is.
  uint32_t hosts = 0;                 // ws-00001 and so on: workstations in the zone dirty.
};

// What `reprise host token`, `reprise-agent join` and `reprise host admit` would do to each host, without thousands of
// round trips: the real engine decides, the real journal keeps it, the site's own authority makes the certificates.
absl::Status EnrolHosts(const EnrolOptions& options, const IdentityFolder& identities);

}  // namespace reprise::bench
