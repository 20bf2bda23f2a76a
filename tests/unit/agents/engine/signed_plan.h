// People, a keyring, a plan that they signed and a host of it: what the tests of the judge and of the engine start
// from. Real keys and real signatures; a test tampers with one thing and looks at what the agent says.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agents/engine/agent_engine.h"
#include "core/crypto/merkle.h"
#include "core/crypto/minisign.h"
#include "core/crypto/sha256.h"
#include "core/model/keyring.h"
#include "core/model/plan_seal.h"
#include "core/model/statements.h"

namespace reprise::agents::testing {

namespace v1 = ::reprise::model::v1;

inline constexpr UnixMs kNoon = 1'790'000'000'000;
inline constexpr UnixMs kHour = 3'600'000;

class People {
 public:
  People() {
    Add("alice", {v1::ROLE_ADMIN, v1::ROLE_OPERATOR, v1::ROLE_APPROVER});
    Add("bob", {v1::ROLE_APPROVER, v1::ROLE_OPERATOR});
    Add("carol", {v1::ROLE_APPROVER});
    policy_.protected_classes = {v1::ASSET_CLASS_MEDICAL_DEVICE, v1::ASSET_CLASS_MONITORING_STATION};
    chain_.push_back(Signed(model::Keyring::First(operators_, policy_, kNoon), {"alice"}));
  }

  plan::v1::SignedStatement Signed(const crypto::Statement& statement, const std::vector<std::string>& names) const {
    plan::v1::SignedStatement all;
    all.set_statement(statement.Bytes());
    for (const auto& name : names) *all.add_signatures() = Sign(all.statement(), name);
    return all;
  }
  plan::v1::Signature Sign(const std::string& bytes, const std::string& name) const {
    plan::v1::Signature signature;
    signature.set_minisig(keys_.at(name).Sign(bytes, "signed by " + name));
    return signature;
  }
  // The next version of the keyring, without `name`'s key being active.
  plan::v1::SignedStatement Revoke(const std::string& name) {
    for (auto& person : operators_) {
      if (person.name == name) person.active = false;
    }
    const model::Keyring before = Keyring();
    chain_.push_back(Signed(before.Next(operators_, policy_, kNoon), {"alice"}));
    return chain_.back();
  }
  // The next version of the keyring, with one more person.
  void Join(const std::string& name, std::vector<v1::Role> roles) {
    const model::Keyring before = Keyring();
    Add(name, std::move(roles));
    chain_.push_back(Signed(before.Next(operators_, policy_, kNoon), {"alice"}));
  }
  std::string PublicKey(const std::string& name) const { return keys_.at(name).Public().Base64(); }
  model::Keyring Keyring() const {
    auto keyring = model::Keyring::Found(chain_.front(), "");
    for (size_t i = 1; i < chain_.size(); ++i) keyring->Extend(chain_[i]).IgnoreError();
    return *keyring;
  }
  const std::vector<plan::v1::SignedStatement>& chain() const { return chain_; }
  const crypto::SecretKey& key(const std::string& name) const { return keys_.at(name); }

 private:
  void Add(const std::string& name, std::vector<v1::Role> roles) {
    const auto placed = keys_.emplace(name, crypto::SecretKey::Generate()).first;
    operators_.push_back({name, std::move(roles), placed->second.Public(), true});
  }

  std::map<std::string, crypto::SecretKey> keys_;
  std::vector<model::Operator> operators_;
  model::SigningPolicy policy_;
  std::vector<plan::v1::SignedStatement> chain_;
};

// A plan of one stage for ws-001 and ws-002; every field may be changed before Authority() signs it.
struct PlanMaker {
  explicit PlanMaker(const People& who, v1::Effect effect = v1::EFFECT_CHANGE) : people(who) {
    header.set_plan_id("edr-00000000");
    header.set_workflow("edr");
    header.set_requester("bob");
    header.set_nonce("0123456789abcdef");
    header.set_created_ms(kNoon);
    header.set_expires_ms(kNoon + 24 * kHour);
    header.set_effect(effect);
    header.set_keyring_version(1);
    auto* plugin = header.add_plugins();
    plugin->set_name("mock");
    plugin->set_version("1.0.0");
    plugin->set_sha256(crypto::Sha256("the plugin's bytes"));
    auto* stage = header.add_stages();
    stage->set_name("protect");
    stage->add_waves()->set_name("wave-1");
    AddStep("install", effect);
    for (const char* host : {"ws-001", "ws-002"}) {
      plan::v1::HostLeaf leaf;
      leaf.set_nonce(header.nonce());
      leaf.set_host(host);
      leaf.set_zone(v1::ZONE_DIRTY);
      leaf.set_asset_class(v1::ASSET_CLASS_WORKSTATION);
      leaf.add_placements()->set_stage(0);
      leaves.push_back(leaf);
    }
    signers = effect == v1::EFFECT_READ      ? std::vector<std::string>{}
              : effect == v1::EFFECT_DESTROY ? std::vector<std::string>{"alice", "bob"}
                                             : std::vector<std::string>{"alice"};
  }

  plan::v1::Step* AddStep(const std::string& name, v1::Effect effect) {
    auto* step = header.mutable_stages(0)->add_steps();
    step->set_name(name);
    step->set_action(name);
    step->set_params_json(R"({"mode":"ok"})");
    step->set_effect(effect);
    step->set_undoable(true);
    step->set_timeout_ms(60'000);
    step->set_attempts_max(5);
    return step;
  }
  // After its failure what was done before it is undone.
  void AddUndoingStep() {
    AddStep("check", header.effect())->set_on_failure(v1::ON_FAILURE_ROLLBACK);
  }
  plan::v1::Gate* AddGate(const std::string& name, uint32_t quorum = 1) {
    auto* gate = header.mutable_stages(0)->mutable_gate();
    gate->set_name(name);
    gate->set_question("sound?");
    gate->set_quorum(quorum);
    return gate;
  }

  model::PlanStatement Statement() const {
    return model::StatementOf(header, header.SerializeAsString(), LeafBytes());
  }
  std::vector<std::string> LeafBytes() const {
    std::vector<std::string> bytes;
    for (const auto& leaf : leaves) bytes.push_back(leaf.SerializeAsString());
    return bytes;
  }
  crypto::MerkleTree Tree() const {
    return crypto::MerkleTree(LeafBytes());
  }
  plan::v1::PlanAuthority Authority(uint32_t host = 0) const {
    plan::v1::PlanAuthority authority;
    *authority.mutable_plan() = people.Signed(Statement().Write(), signers);
    authority.set_header(header.SerializeAsString());
    authority.set_leaf(leaves[host].SerializeAsString());
    authority.set_leaf_index(host);
    authority.set_leaf_count(static_cast<uint32_t>(leaves.size()));
    for (const auto& hash : Tree().Proof(host)) authority.add_proof(hash);
    return authority;
  }
  plan::v1::SignedStatement Decision(const std::string& gate, const std::string& signer, uint64_t run = 7,
                                     bool waive = false, UnixMs expires = 0) const {
    model::GateStatement statement;
    statement.plan_id = header.plan_id();
    statement.merkle_root = Tree().Root();
    statement.run = run;
    statement.gate = gate;
    statement.waive = waive;
    statement.reason = waive ? "the board decided so" : "";
    statement.expires = expires;
    statement.signer = signer;
    statement.issued = kNoon;
    return people.Signed(statement.Write(), {signer});
  }
  agent::v1::TaskKey Key(uint32_t attempt = 1, uint32_t step = 0, bool rollback = false) const {
    agent::v1::TaskKey key;
    key.set_run(7);
    key.set_stage(0);
    key.set_step(step);
    key.set_attempt(attempt);
    key.set_rollback(rollback);
    key.set_plan_id(header.plan_id());
    return key;
  }
  agent::v1::Task Task(uint32_t attempt = 1, uint32_t step = 0, bool rollback = false) const {
    agent::v1::Task task;
    *task.mutable_key() = Key(attempt, step, rollback);
    *task.mutable_authority() = Authority();
    return task;
  }

  const People& people;
  plan::v1::PlanHeader header;
  std::vector<plan::v1::HostLeaf> leaves;
  std::vector<std::string> signers;
};

inline plan::v1::SignedStatement Admission(const People& people, const std::string& host = "ws-001",
                                           const std::function<void(model::HostStatement&)>& change = {}) {
  model::HostStatement statement;
  statement.host = host;
  statement.serial = 1;
  statement.zone = v1::ZONE_DIRTY;
  statement.asset_class = v1::ASSET_CLASS_WORKSTATION;
  statement.trust = v1::TRUST_STATE_UNKNOWN;
  statement.issued = kNoon;
  if (change) change(statement);
  return people.Signed(statement.Write(), {"alice"});
}

inline std::vector<agent::v1::SpoolRecord> EnrolledRecords(const People& people, const std::string& host = "ws-001") {
  return *AgentEngine::Enrol(host, people.Keyring().fingerprint(), people.chain());
}

}  // namespace reprise::agents::testing
