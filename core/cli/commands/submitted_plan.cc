#include "core/cli/commands/submitted_plan.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/refusal.h"
#include "core/cli/keyring_chain.h"
#include "core/model/authorization.h"

namespace reprise::cli {
namespace {

absl::Status Refused(const std::string& plan_id, const absl::Status& why) {
  const absl::Status refusal = AsRefusal(why);
  return absl::Status(refusal.code(),
                      absl::StrCat("plan ", plan_id, " must not be signed: ", std::string(refusal.message())));
}

}  // namespace

absl::StatusOr<SubmittedPlan> FetchPlan(Context& context, const std::string& plan_id) {
  auto keyring = FetchKeyring(context);
  if (!keyring.ok()) return AsRefusal(keyring.status());
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::PlanRequest request;
  request.set_plan_id(plan_id);
  ASSIGN_OR_RETURN(auto view, client->Call<ops::PlanView>("GetPlan", request));
  auto index = engine::PlanIndex::Read(view.bundle());
  if (!index.ok()) return Refused(plan_id, index.status());
  if (index->statement.plan_id != plan_id) {
    return Refused(plan_id, absl::PermissionDeniedError(
                                absl::StrCat("the coordinator gave another one, ", index->statement.plan_id)));
  }
  plan::v1::SignedStatement unsigned_statement;
  unsigned_statement.set_statement(view.bundle().statement());
  const auto checked = model::CheckPlan(*keyring, unsigned_statement, view.bundle().header(), context.clock.Now());
  // Without signatures that is all that a sound plan lacks.
  if (!checked.ok() && !absl::IsPermissionDenied(checked.status())) return Refused(plan_id, checked.status());
  return SubmittedPlan{std::move(view), *std::move(keyring), *std::move(index)};
}

}  // namespace reprise::cli
