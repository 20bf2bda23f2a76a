// What people can do about the hosts of a run that did not come through, or do not get on: by the code that each bears. One
// table (advice.cc); a code that is not in it is a host's own trouble, mended there and tried again. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reprise/operators/v1/operators.pb.h"

namespace reprise::report {

// The way out of a code, for one who reads it. `held`: of a target that waits or was put off; else of one that failed.
// $0 is the run, $1 the plan, $2 the hosts, $3 the plan's end.
std::string_view RemedyOf(std::string_view code, bool held);

// One line for each way out, with the hosts that it is for; empty where nothing is to be done or said. A run that has ended is
// told what to do about its failures, one that goes on what holds hosts back. From the counts alone where the view has no
// targets.
std::vector<std::string> NextSteps(const operators::v1::RunView& run);

}  // namespace reprise::report
