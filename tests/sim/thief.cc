#include "tests/sim/thief.h"

#include <algorithm>
#include <optional>

#include "core/crypto/minisign.h"
#include "core/engine/plan_index.h"

namespace reprise::sim {

using agent::v1::CoordinatorMessage;
using engine::testing::PlanDraft;

namespace {

// The plan without its gates, under a name and with an effect of the thief's choice.
PlanDraft OpenTo(PlanDraft plan, const std::string& id, model::v1::Effect effect) {
  plan.header.set_plan_id(id);
  plan.effect = effect;
  plan.header.set_effect(effect);
  for (auto& stage : *plan.header.mutable_stages()) {
    stage.clear_gate();
    for (auto& wave : *stage.mutable_waves()) wave.clear_gate();
    for (auto& step : *stage.mutable_steps()) step.set_effect(effect);
  }
  return plan;
}

// Attempts that the real coordinator does not come to while an answer is under way.
constexpr uint32_t kFar = 5;

// An attempt after `last` at this step, as people allow it, that the real coordinator is far from; nullopt: there is none. The
// thief would hear the answers in a session of its own; here it speaks in the real one's, which would take the refusal
// of a lie for the end of an attempt of the same number that it has just sent itself.
std::optional<uint32_t> AttemptFarFrom(uint32_t last, const agent::v1::TaskKey& key, const plan::v1::PlanHeader& header) {
  if (key.rollback()) return last + kFar;
  const uint32_t most = header.stages(static_cast<int>(key.stage())).steps(static_cast<int>(key.step())).attempts_max();
  if (last >= most) return last + 1;
  if (last + kFar > most) return std::nullopt;
  return most;
}

}  // namespace

void Thief::Overhear(const std::string& host, const CoordinatorMessage& message) {
  if (message.has_task()) tasks_[host].push_back(message.task());
  if (message.has_stop()) stops_[host].push_back(message.stop());
}

void Thief::Say(const std::string& host, const char* what, const CoordinatorMessage& message) {
  if (!network_.SlipIn(host, message)) return;
  clockwork_.Count(what);
  clockwork_.Trace(std::string(what) + " to " + host);
}

void Thief::SaySomething(const std::string& host) {
  switch (clockwork_.Between(0, 6)) {
    case 0:
      return SayOldTask(host);
    case 1:
      return SayOldStop(host);
    case 2:
      return SayPlanOfOwn(host, false);
    case 3:
      return SayPlanOfOwn(host, true);
    case 4:
      return SayChangedPlan(host);
    case 5:
      return SayPlanOfTheName(host);
    default:
      return SayClosedGate(host);
  }
}

const agent::v1::Task* Thief::SomeTask(const std::string& host, bool whole) {
  std::vector<const agent::v1::Task*> known;
  for (const auto& task : tasks_[host]) {
    if (!whole || task.has_authority()) known.push_back(&task);
  }
  if (known.empty()) return nullptr;
  return known[static_cast<size_t>(clockwork_.Between(0, static_cast<int64_t>(known.size()) - 1))];
}

// One whose end is known: what was sent and never arrived the real coordinator may send again too.
void Thief::SayOldTask(const std::string& host) {
  const agent::v1::Task* old = SomeTask(host, false);
  if (old == nullptr || !witness_.IsFinished(host, old->key())) return;
  CoordinatorMessage message;
  *message.mutable_task() = *old;
  Say(host, "thief says an old task", message);
}

void Thief::SayOldStop(const std::string& host) {
  const auto& known = stops_[host];
  if (known.empty()) return;
  CoordinatorMessage message;
  *message.mutable_stop() = known[static_cast<size_t>(clockwork_.Between(0, static_cast<int64_t>(known.size()) - 1))];
  Say(host, "thief says an old stop", message);
}

// One that only looks, which needs nobody's signature, by the name of one that the host knows.
void Thief::SayPlanOfTheName(const std::string& host) {
  const agent::v1::Task* old = SomeTask(host, true);
  if (old == nullptr || !witness_.HasAccepted(host, old->key().plan_id())) return;
  const auto draft = std::find_if(drafts_.begin(), drafts_.end(),
                                  [&](const auto& d) { return d.header.plan_id() == old->key().plan_id(); });
  if (draft == drafts_.end()) return;
  PlanDraft own = OpenTo(*draft, draft->header.plan_id(), model::v1::EFFECT_READ);
  own.header.set_nonce(crypto::Sha256("the thief's").substr(0, 16));
  own.header.set_expires_ms(std::min(own.header.expires_ms(), clockwork_.now() / 1000 * 1000 + 60'000));
  const auto index = engine::PlanIndex::Read(own.Bundle());
  if (!index.ok() || !index->leaf_of_host.contains(host)) return;
  CoordinatorMessage message;
  auto& task = *message.mutable_task();
  *task.mutable_key() = old->key();
  task.mutable_key()->set_rollback(false);
  const auto attempt = AttemptFarFrom(old->key().attempt(), task.key(), own.header);
  if (!attempt) return;
  task.mutable_key()->set_attempt(*attempt);
  *task.mutable_authority() = index->AuthorityFor(index->leaf_of_host.at(host), {});
  task.mutable_plugin()->mutable_signature()->set_minisig("a signature that the simulated cache believes");
  Say(host, "thief says another plan of a known name", message);
}

// A copy of a real plan under another name, unsigned, or signed by a key that no keyring knows.
void Thief::SayPlanOfOwn(const std::string& host, bool strange_signature) {
  if (drafts_.empty()) return;
  const PlanDraft own = OpenTo(drafts_.front(), "plan-forged00", model::v1::EFFECT_CHANGE);
  const auto index = engine::PlanIndex::Read(own.Bundle());
  if (!index.ok() || !index->leaf_of_host.contains(host)) return;
  const uint32_t leaf = index->leaf_of_host.at(host);
  std::vector<plan::v1::Signature> signatures;
  if (strange_signature) {
    signatures.emplace_back().set_minisig(
        crypto::SecretKey::Generate().Sign(index->statement_bytes, "signed by alice"));
  }
  CoordinatorMessage message;
  auto& task = *message.mutable_task();
  task.mutable_key()->set_run(1);
  task.mutable_key()->set_stage(index->leaves[leaf].placements(0).stage());
  task.mutable_key()->set_attempt(1);
  task.mutable_key()->set_plan_id(own.header.plan_id());
  *task.mutable_authority() = index->AuthorityFor(leaf, signatures);
  task.mutable_plugin()->mutable_signature()->set_minisig("a signature that the simulated cache believes");
  Say(host, strange_signature ? "thief says a plan that a stranger signed" : "thief says an unsigned plan", message);
}

void Thief::SayChangedPlan(const std::string& host) {
  const agent::v1::Task* old = SomeTask(host, true);
  if (old == nullptr) return;
  CoordinatorMessage message;
  agent::v1::Task& task = *message.mutable_task();
  task = *old;
  plan::v1::PlanHeader header;
  header.ParseFromString(task.authority().header());
  const auto attempt = AttemptFarFrom(old->key().attempt(), old->key(), header);
  if (!attempt) return;
  task.mutable_key()->set_attempt(*attempt);
  if (clockwork_.Chance(0.5)) {
    header.mutable_stages(static_cast<int>(old->key().stage()))
        ->mutable_steps(0)
        ->set_params_json(R"({"mode":"worse"})");
    task.mutable_authority()->set_header(header.SerializeAsString());
  } else {
    plan::v1::HostLeaf leaf;
    leaf.ParseFromString(task.authority().leaf());
    auto* own = leaf.mutable_placements(0)->add_overrides();
    own->set_step(0);
    own->set_params_json(R"({"mode":"worse"})");
    task.mutable_authority()->set_leaf(leaf.SerializeAsString());
  }
  Say(host, "thief says a changed plan", message);
}

// Behind a gate that people have not opened, with the requester's own approval for a key.
void Thief::SayClosedGate(const std::string& host) {
  const agent::v1::Task* old = SomeTask(host, true);
  if (old == nullptr) return;
  plan::v1::PlanHeader header;
  header.ParseFromString(old->authority().header());
  plan::v1::HostLeaf leaf;
  leaf.ParseFromString(old->authority().leaf());
  const PlanDraft* draft = nullptr;
  for (const auto& known : drafts_) draft = known.header.plan_id() == header.plan_id() ? &known : draft;
  if (draft == nullptr) return;
  for (const auto& placement : leaf.placements()) {
    const plan::v1::Stage& stage = header.stages(static_cast<int>(placement.stage()));
    const auto& wave = stage.waves(static_cast<int>(placement.wave()));
    if (!stage.has_gate() && !wave.has_gate()) continue;
    const plan::v1::Gate& gate = wave.has_gate() ? wave.gate() : stage.gate();
    // Not one that anybody ever had open: the host may remember it.
    if (witness_.IsOpen(old->key().run(), gate, 0, /*by_now=*/false)) continue;
    CoordinatorMessage message;
    agent::v1::Task& task = *message.mutable_task();
    *task.mutable_authority() = old->authority();
    *task.mutable_key() = old->key();
    task.mutable_key()->set_stage(placement.stage());
    task.mutable_key()->set_step(0);
    task.mutable_key()->set_rollback(false);
    const uint32_t last = old->key().stage() == placement.stage() ? old->key().attempt() : 0;
    const auto attempt = AttemptFarFrom(last, task.key(), header);
    if (!attempt) continue;
    task.mutable_key()->set_attempt(*attempt);
    *task.add_gates() = draft->Decision(gate.name(), header.requester(), old->key().run());
    return Say(host, "thief says a task behind a closed gate", message);
  }
}

}  // namespace reprise::sim
