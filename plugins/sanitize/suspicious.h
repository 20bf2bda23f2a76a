// Whether a command line that something starts by itself looks like an intruder's.
#pragma once

#include <optional>
#include <string>

#include "plugins/sanitize/finding.h"

namespace reprise::sanitize {

struct Suspicion {
  Sure sure;
  std::string why;
};

std::optional<Suspicion> Suspect(const std::string& command);

// Folders in which anybody may write, and from which no service runs.
bool IsOddPlaceForPrograms(const std::string& path);

}  // namespace reprise::sanitize
