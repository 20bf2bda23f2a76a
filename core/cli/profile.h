// Who I am and which coordinator I speak to: one folder per person and site.
//
//   profile.json  {"coordinator": "10.77.0.1:7443", "join": "10.77.0.1:7445", "web": "https://10.77.0.1:7444",
//                  "operator": "alice", "keyring": "<fingerprint of the site's first keyring>"}
//   ca.crt  client.crt  client.key                the connection
//   signing.key  signing.pub                      minisign's; what the coordinator must never hold
//
// Chosen by --profile, else REPRISE_PROFILE, else ~/.config/reprise.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"

namespace reprise::cli {

struct Profile {
  std::filesystem::path folder;
  std::string coordinator;
  std::string join;
  std::string web;
  std::string operator_name;
  std::string keyring_fingerprint;  // Empty: not pinned.
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;              // In clear; never shown.

  std::filesystem::path SigningKey() const { return folder / "signing.key"; }
};

std::filesystem::path ProfileFolder(const std::string& flag);

// NOT_FOUND says how a profile is made; UNAUTHENTICATED: its certificate has expired.
absl::StatusOr<Profile> LoadProfile(const std::filesystem::path& folder, UnixMs now);
// Writes profile.json and the three files of the connection; the signing keys are written by whoever made them.
absl::Status SaveProfile(const Profile& profile);

// "10.77.0.1:7443" -> "10.77.0.1"; with a port, "10.77.0.1:7445".
std::string HostOf(const std::string& address);
std::string PortOf(const std::string& address);

}  // namespace reprise::cli
