// A new site's journal: its first record is the keyring that every agent will pin.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "core/base/clock.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::journal {

// `founder`: the operator who made the keyring. ALREADY_EXISTS; INVALID_ARGUMENT or PERMISSION_DENIED: not a first keyring.
absl::Status FoundJournal(const std::filesystem::path& path, const plan::v1::SignedStatement& keyring,
                          const std::string& founder, UnixMs now);

}  // namespace reprise::journal
