// Every command of `reprise`: the table that application.h declares and runs.
#pragma once

#include <vector>

#include "core/cli/application.h"

namespace reprise::cli {

const std::vector<GroupRow>& Groups();
const std::vector<CommandRow>& Commands();

}  // namespace reprise::cli
