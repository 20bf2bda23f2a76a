// The promises of one action, each tried on the real plugin. One function for each scenario; each runs in a file system
// of its own and returns its checks (and what later scenarios must know).
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agents/runner/conformance/report.h"
#include "agents/runner/conformance/subject.h"

namespace reprise::conformance {

struct ActionUnderTest {
  std::string name;
  nlohmann::json descriptor;  // Of the action.
  nlohmann::json params;      // Good ones.
  std::vector<std::string> secrets;  // The values among them that must not come out.

  bool reads_only() const { return descriptor.value("effect", "") == "read"; }
  bool undoable() const { return descriptor.value("undoable", false); }
};

// probe, plan, verify: shape of the answers, nothing written, unknown and hostile parameters, an unknown verb, secrets.
std::vector<Check> CheckLooking(Root& root, const std::string& sha256, const ActionUnderTest& action);

// apply twice, verify, rollback, what was written, secrets. `apply_ms` gets how long the first apply took.
std::vector<Check> CheckChanging(Root& root, const std::string& sha256, const ActionUnderTest& action, int64_t& apply_ms);

// apply, killed after `delay`; then probe must answer and apply must end well. Empty reason: kept.
std::string WhyNotKillable(Root& root, const std::string& sha256, const ActionUnderTest& action,
                           std::chrono::milliseconds delay);

// apply, asked to end after `delay`.
Check CheckCancelling(Root& root, const std::string& sha256, const ActionUnderTest& action,
                      std::chrono::milliseconds delay);

}  // namespace reprise::conformance
