// The next version of the keyring: asked for by an admin, or brought back by an agent that has it while this coordinator
// lost it. Either way it is signed under the version before, which is checked here; then it is journalled and passed on.
// Internal to core/engine.
#pragma once

#include "absl/status/status.h"
#include "core/engine/desk.h"

namespace reprise::engine {

// FAILED_PRECONDITION also while a host knows a newer keyring than this coordinator: see hosts_ahead.h.
absl::Status ChangeKeyring(Desk& desk, const plan::v1::SignedStatement& next);

// What does not follow is passed over: the agent cannot know how far this coordinator has come since.
void TakeKeyringBack(Desk& desk, const agent::v1::KeyringUpdate& brought);

}  // namespace reprise::engine
