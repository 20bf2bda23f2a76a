#include "core/report/views.h"

namespace reprise::report {

operators::v1::PlanView ViewOfPlan(const engine::Engine& engine, const journal::v1::PlanRecord& plan,
                                   bool with_bundle) {
  operators::v1::PlanView view;
  view.set_plan_id(plan.plan_id());
  if (const engine::PlanIndex* index = engine.FindPlan(plan.plan_id())) {
    view.set_workflow(index->header.workflow());
    view.set_requester(index->header.requester());
    view.set_effect(index->header.effect());
    view.set_created_ms(index->header.created_ms());
    view.set_expires_ms(index->header.expires_ms());
    view.set_hosts(static_cast<uint32_t>(index->leaves.size()));
    if (const model::Keyring* keyring = engine.keyring()) {
      view.set_signatures_needed(keyring->policy().SignaturesFor(index->header.effect()));
    }
  }
  *view.mutable_signers() = plan.signers();
  view.set_statement(plan.bundle().statement());
  if (with_bundle) *view.mutable_bundle() = plan.bundle();
  return view;
}

}  // namespace reprise::report
