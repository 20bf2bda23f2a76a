// What must be proven before something is sent: the claims that a stage requires, and the judgement of the copy that a step
// restores from. Both by what the journal knows now, whatever was true when the plan was made. Pure functions of the state.
#pragma once

#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/book.h"

namespace reprise::engine {

// Of the claims that a stage requires, each that does not hold now, as a line for people: "bubble.closed of gw-1: fails, …".
std::vector<std::string> UnmetRequirements(const plan::v1::Stage& stage,
                                           const std::vector<const journal::v1::HostRecord*>& hosts, UnixMs now);
// Likewise over the book's hosts; true when none is unmet. Cheap: most stages require nothing.
bool RequirementsHold(const Book& book, const plan::v1::Stage& stage, UnixMs now);
// The hosts that a stage's requirements name, beside them; nullptr: not known.
std::vector<const journal::v1::HostRecord*> RequiredHosts(const Book& book, const plan::v1::Stage& stage);

// nullptr: that host has not judged the copy.
const journal::v1::RecoveryPointRecord* FindRecoveryPoint(const journal::v1::State& state, const std::string& host,
                                                          const std::string& set, const std::string& point);

// Why the step may not restore now: the copy's newest judgement is not that of the plan, or the plan's own concession does not
// count. Empty: it may, or restores nothing.
std::string WhyNotRestore(const Book& book, const RunBook& run, const plan::v1::Step& step, UnixMs now);

}  // namespace reprise::engine
