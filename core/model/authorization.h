// Whether a plan, a gate or a task is authorized by the people that the keyring names. Pure; used by the command line
// before it submits, by the coordinator before it dispatches, and by the agent before it acts: one code, three judges.
// Every error's message names what was checked, what was found and what to try; its code is
//   UNAUTHENTICATED  a signature, hash or proof is wrong
//   PERMISSION_DENIED  too few, or not the right people
//   FAILED_PRECONDITION  expired, or not for this host, run or gate
//   INVALID_ARGUMENT  not a statement of its kind
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/model/keyring.h"
#include "core/model/statements.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::model {

// How far a stop's serial may be beyond the one that is known, for coordinator and agent alike.
inline constexpr uint64_t kStopSerialStepMax = 1000;

// A plan that only reads needs no signature. Then nobody but the coordinator chose its end: it may not lie further ahead
// than this, nor the plan's birth further than the other, by the clock of whoever checks.
inline constexpr UnixMs kUnsignedAheadMax = 24LL * 3600 * 1000;
inline constexpr UnixMs kUnsignedBornAheadMax = 4LL * 3600 * 1000;

// Roles operator, approver and admin: who signs plans, and the plugins that hosts run.
bool MaySignPlans(const Operator& person);

// Header matches statement field by field, no step goes beyond its effect, it is not expired, and enough distinct
// active people (role operator, approver or admin) signed for that effect. Gives the statement and those signers' names.
// PERMISSION_DENIED: a signature would help; also for a plan that only reads, where it runs too far ahead without one.
struct AuthorizedPlan {
  PlanStatement statement;
  plan::v1::PlanHeader header;
  std::vector<std::string> signers;
};
absl::StatusOr<AuthorizedPlan> CheckPlan(const Keyring& keyring, const plan::v1::SignedStatement& plan,
                                         std::string_view header_bytes, UnixMs now);

// The leaf stands under the plan's root, among as many as the statement says, has the plan's nonce and is for `host`.
absl::StatusOr<plan::v1::HostLeaf> CheckLeaf(const AuthorizedPlan& plan, const plan::v1::PlanAuthority& authority,
                                             std::string_view host);

// Enough valid decisions for `gate` of `run`: a waiver by an active admin, not expired, or a quorum (at least one) of
// distinct active approvers (those the gate names, if it names any). The requester of the plan does neither.
// Decisions that do not count are passed over. Gives PASSED or WAIVED and who decided; PERMISSION_DENIED says how many
// signatures are still wanting, and why the last that was passed over did not count.
struct GateVerdict {
  v1::GateState state = v1::GATE_STATE_UNSPECIFIED;
  std::vector<std::string> signers;
};
absl::StatusOr<GateVerdict> CheckGate(const Keyring& keyring, const PlanStatement& plan, const plan::v1::Gate& gate,
                                      uint64_t run, const std::vector<plan::v1::SignedStatement>& decisions,
                                      UnixMs now);

// One person's decision, as CheckGate would count it: signature, role, requester, plan, run and gate.
// Gives who signed.
absl::StatusOr<std::string> CheckGateDecision(const Keyring& keyring, const PlanStatement& plan,
                                              const plan::v1::Gate& gate, uint64_t run,
                                              const plan::v1::SignedStatement& decision, UnixMs now);

// A host statement signed by an active admin. Gives the statement.
absl::StatusOr<HostStatement> CheckHostStatement(const Keyring& keyring, const plan::v1::SignedStatement& statement);

// The gates in front of a stage's wave: the stage's own, and those of its waves up to and including `wave`.
std::vector<const plan::v1::Gate*> GatesBefore(const plan::v1::Stage& stage, uint32_t wave);

}  // namespace reprise::model
