// What a gate's record holds already, before a further decision is added: agents keep so many of a plan and no more.
// Internal to core/engine.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "core/model/statements.h"
#include "reprise/journal/v1/state.pb.h"

namespace reprise::engine {

// The same person's decision of the same kind that still counts; nullptr: there is none. A waiver that ran out does not, nor
// what was signed with a key that was revoked since.
const plan::v1::SignedStatement* FindDecision(const journal::v1::GateRecord& gate, const model::GateStatement& decision,
                                              const std::function<bool(const plan::v1::SignedStatement&)>& counts);

// RESOURCE_EXHAUSTED: with `decision` there would be more than the agents of the run keep, or can be sent.
absl::Status CheckRoom(const journal::v1::RunRecord& run, const plan::v1::SignedStatement& decision);

}  // namespace reprise::engine
