// `reprise-agent status`: what a state folder says, beside a running agent too. Changes nothing.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agents/daemon/state_folder.h"
#include "core/base/clock.h"

namespace reprise::daemon {

// Lines of "key: value" for people.
absl::StatusOr<std::string> DescribeState(const StateFolder& folder, UnixMs now);

}  // namespace reprise::daemon
