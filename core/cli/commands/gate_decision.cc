#include "core/cli/commands/gate_decision.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/refusal.h"
#include "core/cli/commands/run_control.h"
#include "core/cli/commands/run_view.h"
#include "core/cli/commands/submitted_plan.h"
#include "core/cli/signing.h"
#include "core/model/authorization.h"
#include "core/model/names.h"
#include "core/model/size_limits.h"

namespace reprise::cli {
namespace {

constexpr UnixMs kSecond = 1000;

absl::StatusOr<ops::GateView> FindGate(const ops::RunView& run, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& gate : run.gates()) {
    if (gate.name() == name) return gate;
    names.push_back(gate.name());
  }
  const std::string nearest = NearestName(name, names);
  return absl::NotFoundError(
      absl::StrCat("run ", run.id(), " has no gate ", name,
                   !nearest.empty() ? absl::StrCat("; did you mean ", nearest, "?")
                                    : absl::StrCat("; it has: ", names.empty() ? "none" : absl::StrJoin(names, ", "))));
}

// As people signed it in the plan, not as the coordinator tells it.
absl::StatusOr<plan::v1::Gate> PlannedGate(const plan::v1::PlanHeader& header, const std::string& name) {
  for (const auto& stage : header.stages()) {
    if (stage.has_gate() && stage.gate().name() == name) return stage.gate();
    for (const auto& wave : stage.waves()) {
      if (wave.has_gate() && wave.gate().name() == name) return wave.gate();
    }
  }
  return absl::PermissionDeniedError(
      absl::StrCat("the coordinator tells of gate ", name, ", and plan ", header.plan_id(), " has none of that name"));
}

absl::Status CheckReady(const ops::GateView& gate) {
  if (gate.state() == model::v1::GATE_STATE_READY) return absl::OkStatus();
  if (gate.state() == model::v1::GATE_STATE_LOCKED) {
    return absl::PermissionDeniedError(
        absl::StrCat("gate ", gate.name(), " is locked: what it waits for is not done; decide when it is ready"));
  }
  return absl::PermissionDeniedError(
      absl::StrCat("gate ", gate.name(), " is open already: ", model::NameOf(gate.state())));
}

// Before anybody is asked for a yes and a password; the decision itself is checked again.
absl::Status CheckNotRequester(const std::string& person, const std::string& requester) {
  if (person != requester) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(person, " asked for this plan and may not decide its gates; ask another person"));
}

void Show(Context& context, const ops::RunView& run, const ops::GateView& gate, const plan::v1::Gate& planned,
          const std::string& requester) {
  context.Say(absl::StrCat("gate ", gate.name(), ", ", GatePlace(run, gate), " of run ", run.id(), " (plan ",
                           run.plan_id(), ", asked for by ", requester, ")"));
  context.Say(absl::StrCat("  question   ", OneLine(planned.question())));
  context.Say(absl::StrCat("  approvers  ",
                           planned.approvers().empty() ? "any approver" : absl::StrJoin(planned.approvers(), ", "),
                           "; never ", requester));
  context.Say(absl::StrCat("  signed     ", gate.signers_size(), " of ", std::max<uint32_t>(1, planned.quorum()),
                           gate.signers().empty() ? "" : absl::StrCat(": ", absl::StrJoin(gate.signers(), ", "))));
  context.Say("");
  if (!context.json()) PrintStages(context, run);
  context.Say("");
}

}  // namespace

absl::StatusOr<int> DecideGate(Context& context, const GateDecision& decision) {
  RETURN_IF_ERROR(model::CheckReason("the reason of the decision", decision.reason));
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(const auto run, FetchRun(context, decision.run));
  ASSIGN_OR_RETURN(const ops::GateView gate, FindGate(run, decision.gate));
  RETURN_IF_ERROR(CheckReady(gate));
  ASSIGN_OR_RETURN(const SubmittedPlan plan, FetchPlan(context, run.plan_id()));
  ASSIGN_OR_RETURN(const plan::v1::Gate planned, PlannedGate(plan.index.header, gate.name()));
  Show(context, run, gate, planned, plan.index.statement.requester);
  RETURN_IF_ERROR(CheckNotRequester(profile->operator_name, plan.index.statement.requester));

  model::GateStatement statement;
  statement.plan_id = plan.index.statement.plan_id;
  statement.merkle_root = plan.index.statement.merkle_root;
  statement.run = run.id();
  statement.gate = gate.name();
  statement.waive = decision.waive;
  statement.reason = decision.reason;
  statement.expires = decision.expires / kSecond * kSecond;
  statement.signer = profile->operator_name;
  statement.issued = context.clock.Now() / kSecond * kSecond;
  RETURN_IF_ERROR(context.Confirm(
      decision.waive ? absl::StrCat("Set this gate aside until ", FormatTime(statement.expires), ", in your name?")
                     : "Is the answer yes, and do you approve in your name?"));
  ASSIGN_OR_RETURN(const crypto::SecretKey key, LoadMySigningKey(context));
  ops::SignGateRequest request;
  *request.mutable_statement() = SignStatement(context, key, profile->operator_name, statement.Write());
  const auto counts = model::CheckGateDecision(plan.keyring, plan.index.statement, planned, run.id(),
                                               request.statement(), context.clock.Now());
  if (!counts.ok()) return AsRefusal(counts.status());
  const auto after = client->Call<ops::GateView>("SignGate", request);
  if (!after.ok()) return AsRefusal(after.status());
  if (context.json()) {
    context.PrintJson(*after);
    return kExitOk;
  }
  const uint32_t quorum = std::max<uint32_t>(1, after->quorum());
  const auto signed_by = static_cast<uint32_t>(after->signers_size());
  if (after->state() == model::v1::GATE_STATE_READY && signed_by < quorum) {
    context.Say(absl::StrCat("signed; ", quorum - signed_by, " more of ", quorum, " signature(s) wanted"));
  } else {
    const Cell state = StateCell(after->state());
    context.Say(absl::StrCat("signed; gate ", gate.name(), " is ", context.terminal.Paint(state.text, state.color)));
  }
  return kExitOk;
}

}  // namespace reprise::cli
