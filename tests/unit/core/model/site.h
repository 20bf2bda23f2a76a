// A site of a test: people with real keys, the keyring that they founded, and statements that they sign.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/crypto/merkle.h"
#include "core/crypto/minisign.h"
#include "core/crypto/sha256.h"
#include "core/model/authorization.h"
#include "core/model/keyring.h"
#include "core/model/plan_seal.h"
#include "core/model/statements.h"

namespace reprise::model::testing {

inline constexpr UnixMs kNoon = 1'790'000'000'000;
inline constexpr UnixMs kHour = 3'600'000;

class Site {
 public:
  Site() {
    Add("alice", {v1::ROLE_ADMIN, v1::ROLE_OPERATOR, v1::ROLE_APPROVER});
    Add("bob", {v1::ROLE_OPERATOR, v1::ROLE_APPROVER});
    Add("carol", {v1::ROLE_APPROVER});
    Add("dave", {v1::ROLE_VIEWER});
    Add("erin", {v1::ROLE_ADMIN});
    policy.protected_classes = {v1::ASSET_CLASS_MEDICAL_DEVICE};
  }

  void Add(const std::string& name, std::vector<v1::Role> roles) {
    const auto& key = keys.insert_or_assign(name, crypto::SecretKey::Generate()).first->second;
    operators.push_back({name, std::move(roles), key.Public(), true});
  }
  Operator& Person(const std::string& name) {
    for (auto& person : operators) {
      if (person.name == name) return person;
    }
    std::abort();
  }

  plan::v1::SignedStatement Sign(const crypto::Statement& statement, const std::vector<std::string>& names) const {
    return SignBytes(statement.Bytes(), names);
  }
  plan::v1::SignedStatement SignBytes(const std::string& bytes, const std::vector<std::string>& names) const {
    plan::v1::SignedStatement all;
    all.set_statement(bytes);
    for (const auto& name : names) all.add_signatures()->set_minisig(keys.at(name).Sign(bytes, name));
    return all;
  }
  plan::v1::SignedStatement First(const std::vector<std::string>& names = {"alice"}) const {
    return Sign(Keyring::First(operators, policy, kNoon), names);
  }
  Keyring Found() const { return *Keyring::Found(First(), ""); }

  std::map<std::string, crypto::SecretKey> keys;
  std::vector<Operator> operators;
  SigningPolicy policy;
};

// A plan of bob's for three hosts, with one gate. Every field may be changed before Statement() is signed.
struct PlanOfBob {
  explicit PlanOfBob(v1::Effect effect = v1::EFFECT_CHANGE) {
    header.set_plan_id("edr-campaign-30313233");
    header.set_workflow("edr-campaign");
    header.set_requester("bob");
    header.set_nonce("0123456789abcdef");
    header.set_created_ms(kNoon);
    header.set_expires_ms(kNoon + 24 * kHour);
    header.set_effect(effect);
    header.set_keyring_version(1);
    auto* stage = header.add_stages();
    stage->set_name("protect");
    auto* step = stage->add_steps();
    step->set_name("install");
    step->set_effect(effect);
    gate.set_name("after-canary");
    gate.set_quorum(2);
    for (const char* host : {"ws-001", "ws-002", "ws-003"}) {
      plan::v1::HostLeaf leaf;
      leaf.set_nonce(header.nonce());
      leaf.set_host(host);
      leaves.push_back(leaf.SerializeAsString());
    }
  }

  PlanStatement Statement() const {
    return StatementOf(header, header.SerializeAsString(), leaves);
  }
  plan::v1::PlanAuthority Authority(uint32_t host) const {
    plan::v1::PlanAuthority authority;
    authority.set_leaf(leaves[host]);
    authority.set_leaf_index(host);
    authority.set_leaf_count(static_cast<uint32_t>(leaves.size()));
    for (const auto& hash : crypto::MerkleTree(leaves).Proof(host)) authority.add_proof(hash);
    return authority;
  }
  GateStatement Decision(const std::string& signer) const {
    GateStatement decision;
    decision.plan_id = header.plan_id();
    decision.merkle_root = crypto::MerkleTree(leaves).Root();
    decision.run = 7;
    decision.gate = gate.name();
    decision.signer = signer;
    decision.issued = kNoon;
    return decision;
  }
  GateStatement Waiver(const std::string& signer) const {
    GateStatement decision = Decision(signer);
    decision.waive = true;
    decision.reason = "the crisis cell decided so at 14:00";
    decision.expires = kNoon + kHour;
    return decision;
  }

  plan::v1::PlanHeader header;
  plan::v1::Gate gate;
  std::vector<std::string> leaves;
};

}  // namespace reprise::model::testing
