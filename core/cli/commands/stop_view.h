// An emergency stop as people see it: in force or not, who confirmed, and how fast it was.
#pragma once

#include "core/cli/context.h"

namespace reprise::cli {

void PrintStop(Context& context, const ops::StopView& stop);

}  // namespace reprise::cli
