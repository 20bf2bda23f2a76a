#include "core/model/authorization.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/planted.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/merkle.h"
#include "core/crypto/sha256.h"

namespace reprise::model {
namespace {

using plan::v1::Gate;
using plan::v1::PlanHeader;
using plan::v1::SignedStatement;

constexpr UnixMs kSecond = 1000;

// The statement is what people read and signed: the header may not tell the agents another story.
absl::Status CheckHeader(const PlanStatement& statement, const PlanHeader& header) {
  const auto differs = [&](const char* field) {
    return absl::UnauthenticatedError(absl::StrCat("plan ", statement.plan_id, ": the ", field,
                                                   " of its header is not that of the statement people signed"));
  };
  if (header.plan_id() != statement.plan_id) return differs("plan id");
  if (header.workflow() != statement.workflow) return differs("workflow");
  if (header.requester() != statement.requester) return differs("requester");
  if (header.exercise() != statement.exercise) return differs("exercise mark");
  if (header.keyring_version() != statement.keyring_version) return differs("keyring version");
  if (header.effect() != statement.effect) return differs("effect");
  if (header.nonce() != statement.nonce) return differs("nonce");
  if (header.created_ms() / kSecond * kSecond != statement.created) return differs("time of creation");
  if (header.expires_ms() / kSecond * kSecond != statement.expires) return differs("time of expiry");
  for (const auto& stage : header.stages()) {
    for (const auto& step : stage.steps()) {
      if (step.effect() > statement.effect) {
        return absl::UnauthenticatedError(
            absl::StrCat("plan ", statement.plan_id, ": step ", step.name(), " of stage ", stage.name(), " does ",
                         NameOf(step.effect()), ", and the statement people signed says ", NameOf(statement.effect)));
      }
    }
  }
  return absl::OkStatus();
}

std::string Named(const std::vector<std::string>& names) {
  return names.empty() ? "nobody" : absl::StrJoin(names, ", ");
}

// Who chose the end of a plan that nobody signed? Perhaps a thief: it may not be far off.
absl::Status CheckUnsigned(const PlanStatement& plan, UnixMs now) {
  constexpr UnixMs kHour = 3600 * kSecond;
  if (plan.expires > now + kUnsignedAheadMax) {
    return absl::PermissionDeniedError(absl::StrCat(
        "nobody signed plan ", plan.plan_id, ", and without a signature a plan runs at most ",
        kUnsignedAheadMax / kHour, " hours ahead; it expires at ", FormatTime(plan.expires), ", and it is ",
        FormatTime(now), ". Sign it with `reprise approve`, or make one with a nearer end: `reprise plan --expires`"));
  }
  if (plan.created > now + kUnsignedBornAheadMax) {
    return absl::PermissionDeniedError(absl::StrCat(
        "nobody signed plan ", plan.plan_id, ", and it says that it was made at ", FormatTime(plan.created),
        "; it is ", FormatTime(now), ". Look at both clocks, or sign it with `reprise approve`"));
  }
  return absl::OkStatus();
}

absl::Status CheckWaiver(const Operator& signer, const GateStatement& decision, UnixMs now) {
  if (!signer.Has(v1::ROLE_ADMIN)) {
    return absl::PermissionDeniedError(absl::StrCat(signer.name, " may not waive a gate: that takes an admin"));
  }
  if (decision.expires <= now) {
    return absl::FailedPreconditionError(absl::StrCat("the waiver of ", signer.name, " expired at ",
                                                      FormatTime(decision.expires), "; it is ", FormatTime(now)));
  }
  return absl::OkStatus();
}

absl::Status CheckApproval(const Operator& signer, const Gate& gate) {
  if (!signer.Has(v1::ROLE_APPROVER)) {
    return absl::PermissionDeniedError(absl::StrCat(signer.name, " may not approve gates: that takes an approver"));
  }
  const auto& named = gate.approvers();
  if (!named.empty() && std::find(named.begin(), named.end(), signer.name) == named.end()) {
    return absl::PermissionDeniedError(
        absl::StrCat(signer.name, " is not one of the gate's approvers (", absl::StrJoin(named, ", "), ")"));
  }
  return absl::OkStatus();
}

struct Decided {
  GateStatement statement;
  std::string signer;
};

absl::StatusOr<Decided> Decide(const Keyring& keyring, const PlanStatement& plan, const Gate& gate, uint64_t run,
                               const SignedStatement& decision, UnixMs now) {
  ASSIGN_OR_RETURN(GateStatement statement, GateStatement::Read(decision.statement()));
  if (statement.plan_id != plan.plan_id || statement.merkle_root != plan.merkle_root || statement.run != run ||
      statement.gate != gate.name()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the decision is for gate ", statement.gate, " of run ", statement.run, " of plan ",
                     statement.plan_id, "; asked for is gate ", gate.name(), " of run ", run, " of plan ", plan.plan_id,
                     statement.merkle_root == plan.merkle_root ? "" : " (of other content)"));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> signers, keyring.Signers(decision));
  if (std::find(signers.begin(), signers.end(), statement.signer) == signers.end()) {
    return absl::PermissionDeniedError(
        absl::StrCat("the decision says that ", statement.signer, " signs; signed by active keys: ", Named(signers)));
  }
  if (statement.signer == plan.requester && !REPRISE_PLANTED(kGateCountsRequester)) {
    return absl::PermissionDeniedError(
        absl::StrCat(statement.signer, " asked for this plan and may not decide its gates; ask another person"));
  }
  const Operator& signer = *keyring.Find(statement.signer);
  RETURN_IF_ERROR(statement.waive ? CheckWaiver(signer, statement, now) : CheckApproval(signer, gate));
  return Decided{statement, statement.signer};
}

}  // namespace

bool MaySignPlans(const Operator& person) {
  return person.Has(v1::ROLE_OPERATOR) || person.Has(v1::ROLE_APPROVER) || person.Has(v1::ROLE_ADMIN);
}

absl::StatusOr<AuthorizedPlan> CheckPlan(const Keyring& keyring, const SignedStatement& plan,
                                         std::string_view header_bytes, UnixMs now) {
  AuthorizedPlan authorized;
  ASSIGN_OR_RETURN(authorized.statement, PlanStatement::Read(plan.statement()));
  const PlanStatement& statement = authorized.statement;
  if (crypto::Sha256(header_bytes) != statement.header_sha256 ||
      !authorized.header.ParseFromArray(header_bytes.data(), static_cast<int>(header_bytes.size()))) {
    return absl::UnauthenticatedError(
        absl::StrCat("plan ", statement.plan_id, ": the header is not the one whose hash stands in the statement"));
  }
  RETURN_IF_ERROR(CheckHeader(statement, authorized.header));
  if (statement.expires <= now) {
    return absl::FailedPreconditionError(absl::StrCat("plan ", statement.plan_id, " expired at ",
                                                      FormatTime(statement.expires), "; it is ", FormatTime(now),
                                                      ". Make a new one with `reprise plan`"));
  }
  if (statement.keyring_version > keyring.version()) {
    return absl::FailedPreconditionError(absl::StrCat("plan ", statement.plan_id, " was made under keyring version ",
                                                      statement.keyring_version, "; only version ", keyring.version(),
                                                      " is known here"));
  }
  ASSIGN_OR_RETURN(authorized.signers, keyring.Signers(plan));
  std::erase_if(authorized.signers, [&](const std::string& name) { return !MaySignPlans(*keyring.Find(name)); });
  const uint32_t needed = keyring.policy().SignaturesFor(statement.effect);
  if (authorized.signers.size() < needed && !REPRISE_PLANTED(kUnsignedBelieved)) {
    return absl::PermissionDeniedError(absl::StrCat(
        "plan ", statement.plan_id, " needs ", needed, " signature(s) of distinct people for its effect ",
        NameOf(statement.effect), "; signed by: ", Named(authorized.signers), ". Sign it with `reprise approve`"));
  }
  if (needed == 0 && authorized.signers.empty()) RETURN_IF_ERROR(CheckUnsigned(statement, now));
  return authorized;
}

absl::StatusOr<plan::v1::HostLeaf> CheckLeaf(const AuthorizedPlan& plan, const plan::v1::PlanAuthority& authority,
                                             std::string_view host) {
  const PlanStatement& statement = plan.statement;
  if (authority.leaf_count() != statement.hosts) {
    return absl::UnauthenticatedError(absl::StrCat("plan ", statement.plan_id, " has ", statement.hosts,
                                                   " hosts; the proof is for ", authority.leaf_count()));
  }
  RETURN_IF_ERROR(crypto::VerifyMerkleProof(authority.leaf(), authority.leaf_index(), authority.leaf_count(),
                                            {authority.proof().begin(), authority.proof().end()},
                                            statement.merkle_root));
  plan::v1::HostLeaf leaf;
  if (!leaf.ParseFromString(authority.leaf())) {
    return absl::UnauthenticatedError(absl::StrCat("plan ", statement.plan_id, ": the host's part cannot be read"));
  }
  if (leaf.nonce() != statement.nonce) {
    return absl::UnauthenticatedError(absl::StrCat("plan ", statement.plan_id, ": the host's part has another nonce"));
  }
  if (leaf.host() != host) {
    return absl::FailedPreconditionError(absl::StrCat("this part of plan ", statement.plan_id, " is for host ",
                                                      leaf.host(), ", not for ", std::string(host)));
  }
  return leaf;
}

absl::StatusOr<GateVerdict> CheckGate(const Keyring& keyring, const PlanStatement& plan, const Gate& gate, uint64_t run,
                                      const std::vector<SignedStatement>& decisions, UnixMs now) {
  GateVerdict verdict;
  std::string passed_over;
  for (const auto& decision : decisions) {
    const auto decided = Decide(keyring, plan, gate, run, decision, now);
    if (!decided.ok()) {
      passed_over = absl::StrCat("; passed over: ", std::string(decided.status().message()));
      continue;
    }
    if (decided->statement.waive) return GateVerdict{v1::GATE_STATE_WAIVED, {decided->signer}};
    if (std::find(verdict.signers.begin(), verdict.signers.end(), decided->signer) == verdict.signers.end()) {
      verdict.signers.push_back(decided->signer);
    }
  }
  // A gate that asks for nobody would be no gate.
  const size_t quorum = std::max<size_t>(1, gate.quorum());
  if (verdict.signers.size() < quorum) {
    return absl::PermissionDeniedError(absl::StrCat("gate ", gate.name(), " of run ", run, " wants ",
                                                    quorum - verdict.signers.size(), " more of ", quorum,
                                                    " approval(s), never the requester's (", plan.requester,
                                                    "); approved by: ", Named(verdict.signers), passed_over));
  }
  verdict.state = v1::GATE_STATE_PASSED;
  return verdict;
}

absl::StatusOr<std::string> CheckGateDecision(const Keyring& keyring, const PlanStatement& plan, const Gate& gate,
                                              uint64_t run, const SignedStatement& decision, UnixMs now) {
  ASSIGN_OR_RETURN(Decided decided, Decide(keyring, plan, gate, run, decision, now));
  return std::move(decided.signer);
}

absl::StatusOr<HostStatement> CheckHostStatement(const Keyring& keyring, const SignedStatement& statement) {
  ASSIGN_OR_RETURN(HostStatement host, HostStatement::Read(statement.statement()));
  ASSIGN_OR_RETURN(const std::vector<std::string> signers, keyring.Signers(statement));
  const bool signed_by_admin = std::any_of(
      signers.begin(), signers.end(), [&](const std::string& name) { return keyring.Find(name)->Has(v1::ROLE_ADMIN); });
  if (!signed_by_admin) {
    return absl::PermissionDeniedError(absl::StrCat("the statement about host ", host.host,
                                                    " needs an active admin's signature; signed by: ", Named(signers)));
  }
  return host;
}

std::vector<const Gate*> GatesBefore(const plan::v1::Stage& stage, uint32_t wave) {
  std::vector<const Gate*> gates;
  if (stage.has_gate()) gates.push_back(&stage.gate());
  for (int i = 0; i < stage.waves_size() && static_cast<uint32_t>(i) <= wave; ++i) {
    if (stage.waves(i).has_gate()) gates.push_back(&stage.waves(i).gate());
  }
  return gates;
}

}  // namespace reprise::model
