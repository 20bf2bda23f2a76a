// Whether a step may restore from the copy that its plan names: from what was proven good only, or from what comes short of
// it in a way that a named person conceded. Pure; one code for the planner, the dispatcher and the agent.
//
//   verdict INTACT                        allowed
//   verdict INTACT_SAMPLED                allowed with a concession that says `sampled`
//   any other verdict                     never, whatever anybody signs
//   taken before the first compromise     allowed
//   taken after it, or nobody knows       allowed with a concession that says `after_compromise`, or `unknown_trust`
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "core/base/clock.h"
#include "core/model/keyring.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::model {

// The parameter by which every restoring action is told which bytes it may restore: the manifest's SHA-256 in hexadecimal.
inline constexpr char kManifestParam[] = "manifest_sha256";

// Of a copy within its set, which is often a file or a folder: letters, digits, '.', '_' and '-', at most 128, not beginning
// with a sign.
bool IsCopyName(std::string_view text);

// In the words of the trade: "ENCRYPTED_PARTIAL".
std::string WordOf(v1::BackupVerdict verdict);

// Of a copy taken at `taken` (0: not known) in a site first compromised at `compromised` (0: not known).
v1::PointTrust TrustOf(UnixMs taken, UnixMs compromised);

// What the rules above ask a concession for; empty: nothing. REQUIRES: MayEverServe(point.verdict()).
std::vector<v1::Allowance> NeededAllowances(const plan::v1::RecoveryPoint& point);

// Whether the verdict is one that a restore may follow, perhaps with a concession.
bool MayEverServe(v1::BackupVerdict verdict);

// Everything but signatures: the verdict, what the concession allows, its end, that its decider is an active approver or admin
// and did not ask for the plan. FAILED_PRECONDITION or PERMISSION_DENIED, naming the copy and what to do.
absl::Status CheckRecoveryPoint(const Keyring& keyring, const plan::v1::RecoveryPoint& point,
                                const std::string& requester, UnixMs now);

// Likewise, and whoever decided the concession is among those who signed the plan: what people dispatch and what agents do.
absl::Status CheckRestore(const Keyring& keyring, const plan::v1::RecoveryPoint& point, const std::string& requester,
                          const std::vector<std::string>& signers, UnixMs now);

}  // namespace reprise::model
