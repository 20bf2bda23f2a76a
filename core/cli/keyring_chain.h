// The site's keyring as the coordinator tells it, folded and checked here: every version is signed under the one before,
// and the first is the one that the profile pins.
#pragma once

#include "absl/status/statusor.h"
#include "core/cli/context.h"
#include "core/model/keyring.h"

namespace reprise::cli {

absl::StatusOr<model::Keyring> FoldKeyring(const ops::KeyringView& view, const std::string& pinned_fingerprint);
absl::StatusOr<model::Keyring> FetchKeyring(Context& context);

}  // namespace reprise::cli
