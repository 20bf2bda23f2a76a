// A plan as the coordinator holds it, checked here before anybody signs anything about it: its parts hold together, its
// statement is what its header says, and the keyring it is judged under is this site's. A coordinator that lies is
// found out by the same code that judges on the hosts.
#pragma once

#include <string>

#include "core/cli/context.h"
#include "core/engine/plan_index.h"
#include "core/model/keyring.h"

namespace reprise::cli {

struct SubmittedPlan {
  ops::PlanView view;  // With its bundle.
  model::Keyring keyring;
  engine::PlanIndex index;
};

// PERMISSION_DENIED or UNAUTHENTICATED: it must not be signed, with the reason.
absl::StatusOr<SubmittedPlan> FetchPlan(Context& context, const std::string& plan_id);

}  // namespace reprise::cli
