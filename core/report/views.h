// What operators see, made from the coordinator's state: the stable schema behind tables and `-o json`.
// Pure functions over a const Engine.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/engine/engine.h"
#include "reprise/operators/v1/operators.pb.h"

namespace reprise::report {

operators::v1::HostView ViewOfHost(const journal::v1::HostRecord& host, bool with_facts);
// INVALID_ARGUMENT: the selector does not parse.
absl::StatusOr<operators::v1::HostList> ViewOfHosts(const engine::Engine& engine, const std::string& selector);

operators::v1::PlanView ViewOfPlan(const engine::Engine& engine, const journal::v1::PlanRecord& plan, bool with_bundle);
// With targets also what the plan left out. Costs a look at every target of the run.
operators::v1::RunView ViewOfRun(const engine::Engine& engine, const journal::v1::RunRecord& run, bool with_targets,
                                 UnixMs now);
operators::v1::GateList ViewOfGates(const engine::Engine& engine, bool active_only);
operators::v1::StopView ViewOfStop(const journal::v1::StopRecord& stop);

// By the claims of adapters; see board.cc.
operators::v1::BoardView ViewOfBoard(const engine::Engine& engine);
// By set, then the newest copy first.
operators::v1::RecoveryPointList ViewOfRecoveryPoints(const engine::Engine& engine);

// What coverage counts when nothing else is asked for, and out of whom. Any other claim without a selector is counted out of
// all classes of which a host made it or was meant by a run of its plugin (coverage.cc); the view says which.
inline constexpr char kCoverageClaim[] = "edr.protected";
inline constexpr char kCoverageSelector[] = "class in (workstation, admin_workstation)";

// Who is covered by a claim, out of the inventory, and everyone who is not, by name and reason. UNKNOWN is never good:
// a claim that is absent or too old counts as unknown, and so does a host that was never reached. Hosts of a protected
// class are exempt, named, and not in the denominator; where no selector is given, all of the inventory's.
// INVALID_ARGUMENT: the selector does not parse.
absl::StatusOr<operators::v1::CoverageView> ViewOfCoverage(const engine::Engine& engine,
                                                           const operators::v1::CoverageRequest& request, UnixMs now);

}  // namespace reprise::report
