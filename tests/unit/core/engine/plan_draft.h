// A plan in the making: stages, waves and hosts put together by hand, then bundled as the compiler would, and signed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/crypto/merkle.h"
#include "core/model/plan_seal.h"
#include "core/crypto/sha256.h"
#include "reprise/plan/v1/plan.pb.h"
#include "tests/unit/agents/engine/signed_plan.h"

namespace reprise::engine::testing {

using agents::testing::kHour;
using agents::testing::kNoon;
using agents::testing::People;
namespace v1 = ::reprise::model::v1;

inline std::string HostName(size_t number) {
  const std::string digits = std::to_string(number);
  return "ws-" + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}

struct PlanDraft {
  explicit PlanDraft(const People& who, v1::Effect what = v1::EFFECT_CHANGE, std::string id = "edr-00000000")
      : people(who), effect(what) {
    header.set_plan_id(id);
    header.set_workflow("edr");
    header.set_requester("bob");
    header.set_nonce(crypto::Sha256(id).substr(0, 16));
    header.set_created_ms(kNoon);
    header.set_expires_ms(kNoon + 24 * kHour);
    header.set_effect(effect);
    header.set_keyring_version(1);
    auto* plugin = header.add_plugins();
    plugin->set_name("mock");
    plugin->set_version("1.0.0");
    plugin->set_sha256(crypto::Sha256("the plugin's bytes"));
    header.mutable_limits()->set_per_host_max(1);
  }

  // `sizes`: hosts of each wave, taken in order from ws-001 on.
  plan::v1::Stage& AddStage(const std::string& name, const std::vector<size_t>& sizes,
                            const std::vector<uint32_t>& after = {}) {
    const auto index = static_cast<uint32_t>(header.stages_size());
    plan::v1::Stage& stage = *header.add_stages();
    stage.set_name(name);
    for (const uint32_t before : after) stage.add_after(before);
    stage.set_unreachable(v1::UNREACHABLE_DEFER);
    stage.set_unreachable_after_ms(60'000);
    size_t host = 1;
    for (size_t w = 0; w < sizes.size(); ++w) {
      stage.add_waves()->set_name("wave-" + std::to_string(w + 1));
      stage.mutable_waves(static_cast<int>(w))->set_host_count(static_cast<uint32_t>(sizes[w]));
      for (size_t i = 0; i < sizes[w]; ++i) {
        auto& placement = placements[HostName(host++)].emplace_back();
        placement.set_stage(index);
        placement.set_wave(static_cast<uint32_t>(w));
      }
    }
    return stage;
  }
  // What ws-001 was given goes to another host instead.
  void PlaceOn(const std::string& host) {
    placements[host] = std::move(placements[HostName(1)]);
    placements.erase(HostName(1));
  }
  plan::v1::Step& AddStep(plan::v1::Stage& stage, const std::string& name) {
    plan::v1::Step& step = *stage.add_steps();
    step.set_name(name);
    step.set_action(name);
    step.set_params_json(R"({"mode":"ok"})");
    step.set_effect(effect);
    step.set_undoable(effect == v1::EFFECT_CHANGE);
    step.set_timeout_ms(60'000);
    step.set_backoff_ms(5'000);
    step.set_attempts_max(20);
    step.set_on_failure(v1::ON_FAILURE_STOP);
    return step;
  }
  plan::v1::Gate& AddGate(plan::v1::Stage& stage, const std::string& name, int wave = -1, uint32_t quorum = 1) {
    auto* gate = wave < 0 ? stage.mutable_gate() : stage.mutable_waves(wave)->mutable_gate();
    gate->set_name(name);
    gate->set_question("sound?");
    gate->set_quorum(quorum);
    return *gate;
  }

  std::vector<std::string> Leaves() const {
    std::vector<std::string> leaves;
    for (const auto& [host, placed] : placements) {
      plan::v1::HostLeaf leaf;
      leaf.set_nonce(header.nonce());
      leaf.set_host(host);
      leaf.set_zone(v1::ZONE_DIRTY);
      leaf.set_asset_class(v1::ASSET_CLASS_WORKSTATION);
      for (const auto& placement : placed) *leaf.add_placements() = placement;
      leaves.push_back(leaf.SerializeAsString());
    }
    return leaves;
  }
  plan::v1::PlanBundle Bundle() const {
    plan::v1::PlanBundle bundle;
    plan::v1::PlanAnnex annex;
    annex.set_inventory_hosts(static_cast<uint32_t>(placements.size()));
    bundle.set_annex(annex.SerializeAsString());
    plan::v1::PlanHeader whole = header;
    whole.set_annex_sha256(crypto::Sha256(bundle.annex()));
    bundle.set_header(whole.SerializeAsString());
    const auto leaves = Leaves();
    for (const auto& leaf : leaves) bundle.add_leaves(leaf);
    bundle.set_statement(Statement(bundle.header(), leaves).Write().Bytes());
    return bundle;
  }
  model::PlanStatement Statement(const std::string& header_bytes, const std::vector<std::string>& leaves) const {
    return model::StatementOf(header, header_bytes, leaves);
  }
  plan::v1::Signature Sign(const std::string& name) const { return people.Sign(Bundle().statement(), name); }
  plan::v1::SignedStatement Decision(const std::string& gate, const std::string& signer, uint64_t run = 1,
                                     bool waive = false, UnixMs expires = 0) const {
    model::GateStatement statement;
    statement.plan_id = header.plan_id();
    statement.merkle_root = crypto::MerkleTree(Leaves()).Root();
    statement.run = run;
    statement.gate = gate;
    statement.waive = waive;
    statement.reason = waive ? "the board decided so" : "";
    statement.expires = expires;
    statement.signer = signer;
    statement.issued = kNoon;
    return people.Signed(statement.Write(), {signer});
  }

  const People& people;
  v1::Effect effect;
  plan::v1::PlanHeader header;
  std::map<std::string, std::vector<plan::v1::Placement>> placements;
};

}  // namespace reprise::engine::testing
