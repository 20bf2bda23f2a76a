// Founds a site: signing key, first keyring, journal, data folder, first profile, in an order that leaves nothing half
// done. Private to commands.
//
// The data folder counts once coordinator.json is in it, which comes after everything else there; the profile once
// profile.json is. What an interrupted founding left before that is taken up again (the signing key) or made anew.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "core/cli/context.h"
#include "core/model/keyring.h"
#include "core/trust/coordinator_folder.h"

namespace reprise::cli {

struct FoundingRequest {
  std::filesystem::path data;
  trust::CoordinatorConfig config;
  std::string founder;
  model::SigningPolicy policy;
  std::filesystem::path profile;
  std::filesystem::path key_file;  // An existing minisign key; empty: one in the profile, made if need be.
  bool no_password = false;
};

struct FoundedSite {
  Profile profile;
  std::string keyring_fingerprint;
  std::string ca_fingerprint;
  std::string journal_head;  // Hex.
  std::string public_key;
  std::string key_id;
};

// ALREADY_EXISTS: there is a site in the folder, or a profile. INVALID_ARGUMENT: a name, an address, the policy.
absl::StatusOr<FoundedSite> FoundSite(Context& context, const FoundingRequest& request);

}  // namespace reprise::cli
