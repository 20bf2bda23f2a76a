// A compiled plan told to a person: who gets what in which wave, behind which gates and within which limits, and who is
// left out and why. Pure; the same words for a plan just compiled and for one read back from the coordinator.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/plan/node.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::plan {

// REQUIRES for both: a bundle as Compile makes it. INVALID_ARGUMENT: its parts cannot be read.
// `names_max`: how many hosts' names a line shows before it counts the rest; 0: all of them.
absl::StatusOr<std::string> ExplainPlan(const v1::PlanBundle& bundle, size_t names_max);

// The same for programs: {"plan", "workflow", "requester", "effect", "signatures_needed", "exercise", "created_ms",
// "expires_ms", "inventory_hosts", "hosts", "plugins": [{name, version, sha256}], "artifacts": […], "parameters": {…},
// "stages": [{"name", "after", "gate", "unreachable", "in_flight_max", "failures", "steps": [{name, uses, effect, params,
// timeout_ms, retries, on_failure, tokens}], "waves": [{"name", "gate", "hosts": [names]}]}], "left_out": [{host, stage, code,
// reason}]}
absl::StatusOr<Json> PlanAsJson(const v1::PlanBundle& bundle);

// Whether carrying it out would change anything: some stage with hosts has a step that does not only read.
bool HasChanges(const v1::PlanHeader& header);

}  // namespace reprise::plan
