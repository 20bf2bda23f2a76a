// A plan as the coordinator would hold it, and a run of it, for tests of the commands about them. Bob asks for it;
// every field may be changed before View() freezes it.
#pragma once

#include <string>
#include <vector>

#include "core/crypto/sha256.h"
#include "tests/unit/core/cli/fakes.h"

namespace reprise::cli::testing {

struct HeldPlan {
  explicit HeldPlan(const People& people, model::v1::Effect effect = model::v1::EFFECT_CHANGE) : maker(people, effect) {
    maker.header.mutable_stages(0)->mutable_waves(0)->set_host_count(2);
    plan::v1::PlanAnnex annex;
    annex.set_inventory_hosts(3);
    auto* left_out = annex.add_exclusions();
    left_out->set_host("ws-003");
    left_out->set_code("hold");
    left_out->set_reason("evidence hold: police");
    annex_bytes = annex.SerializeAsString();
    maker.header.set_annex_sha256(crypto::Sha256(annex_bytes));
  }

  plan::v1::PlanBundle Bundle() const {
    plan::v1::PlanBundle bundle;
    bundle.set_statement(maker.Statement().Write().Bytes());
    bundle.set_header(maker.header.SerializeAsString());
    for (const auto& leaf : maker.leaves) bundle.add_leaves(leaf.SerializeAsString());
    bundle.set_annex(annex_bytes);
    return bundle;
  }
  ops::PlanView View(const std::vector<std::string>& signers = {}) const {
    ops::PlanView view;
    view.set_plan_id(maker.header.plan_id());
    view.set_workflow(maker.header.workflow());
    view.set_requester(maker.header.requester());
    view.set_effect(maker.header.effect());
    view.set_hosts(static_cast<uint32_t>(maker.leaves.size()));
    view.set_signatures_needed(maker.header.effect() == model::v1::EFFECT_DESTROY  ? 2
                               : maker.header.effect() == model::v1::EFFECT_CHANGE ? 1
                                                                                   : 0);
    for (const auto& signer : signers) view.add_signers(signer);
    *view.mutable_bundle() = Bundle();
    view.set_statement(view.bundle().statement());
    return view;
  }
  const std::string& id() const { return maker.header.plan_id(); }

  agents::testing::PlanMaker maker;
  std::string annex_bytes;
};

// The plan restores from a sampled copy, which takes carol's concession.
inline void Concede(HeldPlan& plan) {
  auto& point = *plan.maker.header.mutable_stages(0)->mutable_steps(0)->mutable_recovery_point();
  point.set_set("agiletime-db");
  point.set_point("2022-08-12");
  point.set_verdict(model::v1::BACKUP_VERDICT_INTACT_SAMPLED);
  point.set_manifest_sha256(std::string(32, 'm'));
  point.set_taken_ms(kNoon - 48 * kHour);
  point.set_compromised_ms(kNoon - 24 * kHour);
  point.mutable_concession()->set_name("sampled-planning");
  point.mutable_concession()->add_allows(model::v1::ALLOWANCE_SAMPLED);
  point.mutable_concession()->set_decided_by("carol");
}

// Run 7 of HeldPlan's plan, going on: one of two hosts done.
inline ops::RunView RunSeven(const std::string& plan_id = "edr-00000000") {
  ops::RunView run;
  run.set_id(7);
  run.set_plan_id(plan_id);
  run.set_workflow("edr");
  run.set_state(model::v1::RUN_STATE_RUNNING);
  run.set_started_by("bob");
  run.set_started_ms(kNoon - 60'000);
  run.set_expires_ms(kNoon + kHour);
  run.set_round(1);
  run.mutable_counts()->set_total(2);
  run.mutable_counts()->set_succeeded(1);
  run.mutable_counts()->set_active(1);
  auto& stage = *run.add_stages();
  stage.set_name("protect");
  stage.set_state(model::v1::STAGE_STATE_RUNNING);
  *stage.mutable_counts() = run.counts();
  auto& wave = *stage.add_waves();
  wave.set_name("wave-1");
  wave.set_state(model::v1::WAVE_STATE_RUNNING);
  wave.set_started_ms(kNoon - 60'000);
  *wave.mutable_counts() = run.counts();
  return run;
}

// The same once it is over.
inline ops::RunView Ended(ops::RunView run, model::v1::RunState state, uint32_t failed = 0) {
  run.set_state(state);
  run.set_ended_ms(kNoon);
  for (auto* counts : {run.mutable_counts(), run.mutable_stages(0)->mutable_counts(),
                       run.mutable_stages(0)->mutable_waves(0)->mutable_counts()}) {
    counts->set_active(0);
    counts->set_failed(failed);
    counts->set_succeeded(counts->total() - failed);
  }
  run.mutable_stages(0)->mutable_waves(0)->set_state(model::v1::WAVE_STATE_SETTLED);
  if (failed > 0) {
    auto& target = *run.add_targets();
    target.set_host("ws-002");
    target.set_stage("protect");
    target.set_wave("wave-1");
    target.set_state(model::v1::TARGET_STATE_FAILED);
    target.set_step("install");
    target.set_attempt(2);
    target.set_code("disk_full");
    target.set_reason("no room on /var");
    target.set_hint("free 2 GB");
  }
  return run;
}

inline ops::GateView GateOfSeven(model::v1::GateState state = model::v1::GATE_STATE_READY) {
  ops::GateView gate;
  gate.set_run(7);
  gate.set_name("go");
  gate.set_stage("protect");
  gate.set_wave(-1);
  gate.set_question("sound?");
  gate.set_state(state);
  gate.set_quorum(1);
  gate.set_plan_id("edr-00000000");
  return gate;
}

}  // namespace reprise::cli::testing
