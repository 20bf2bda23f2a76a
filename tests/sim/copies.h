// The copies that some plans restore from: what plans say of them, and what their reader finds when it looks again.
#pragma once

#include <string>

#include "reprise/plan/v1/plan.pb.h"
#include "tests/sim/clockwork.h"

namespace reprise::sim {

// The host that judges them.
inline constexpr char kReader[] = "ws-001";

// Makes the step restore from one of them, by a judgement that serves: mostly. People sign what a planner would refuse, too.
void RestoreFromSomeCopy(Clockwork& clockwork, plan::v1::Step& step);

// What the reader's plugin says of them all: a JSON array. `otherwise`: the chance, for each, that it is not as plans have it.
std::string JudgeCopies(Clockwork& clockwork, double otherwise);

}  // namespace reprise::sim
