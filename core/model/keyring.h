// Who may sign what. A keyring is a chain of statements ("reprise-keyring/v1"): version 1 is signed by a key that it
// names and is pinned by its fingerprint; each later one is signed under the rules of the one before. Coordinator,
// command line and agent fold the same chain with this code; the coordinator cannot change it.
//
//   reprise-keyring/v1
//   version: 2
//   previous: <sha256 of version 1's statement, hex; "none" for version 1>
//   issued: 2026-11-24T09:30:00Z
//   policy.change-signatures: 1
//   policy.destroy-signatures: 2
//   policy.keyring-signatures: 1
//   policy.protected-classes: medical_device,modality,monitoring_station
//   operator: alice admin,approver,operator RWQ… active
//   operator: bob approver,operator RWR… revoked
//
// Two names never share a key; a key that was revoked or replaced never comes back; a name never disappears (it is
// revoked); and as many active admins remain as the next version needs.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/crypto/minisign.h"
#include "core/crypto/statement.h"
#include "core/model/names.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::model {

struct Operator {
  std::string name;   // a-z, 0-9, '-', '.'; at most 64
  std::vector<v1::Role> roles;
  crypto::PublicKey key;
  bool active = true;

  bool Has(v1::Role role) const;
};

struct SigningPolicy {
  uint32_t change_signatures = 1;
  uint32_t destroy_signatures = 2;
  uint32_t keyring_signatures = 1;
  // Classes on which nothing but reading is ever done.
  std::vector<v1::AssetClass> protected_classes;

  // How many distinct people; none for reading. An effect that is not said counts as the gravest.
  uint32_t SignaturesFor(v1::Effect effect) const;
  bool Protects(v1::AssetClass asset_class) const;
};

class Keyring {
 public:
  // Version 1. PERMISSION_DENIED when its fingerprint is not `pinned_fingerprint` (empty: not checked),
  // or when it is not signed by an active admin that it names; INVALID_ARGUMENT when it is not a legal keyring.
  static absl::StatusOr<Keyring> Found(const plan::v1::SignedStatement& first, std::string_view pinned_fingerprint);

  // The next version. FAILED_PRECONDITION: not the next; PERMISSION_DENIED: not signed as the present one demands
  // (distinct active admins); INVALID_ARGUMENT: not a legal keyring. On any error this keyring stays as it was.
  absl::Status Extend(const plan::v1::SignedStatement& next);

  uint32_t version() const { return version_; }
  const std::string& fingerprint() const { return fingerprint_; }  // Of version 1: lower-case hex SHA-256.
  const std::string& head() const { return head_; }                // Of the newest, likewise.
  const SigningPolicy& policy() const { return policy_; }
  const std::map<std::string, Operator>& operators() const { return operators_; }
  const Operator* Find(std::string_view name) const;               // nullptr: unknown.

  // The active operators who signed, distinct, in the order of the signatures. Signatures of revoked or unknown
  // keys are passed over; a signature that names an active key and does not verify is UNAUTHENTICATED, and so is
  // what is no signature at all.
  absl::StatusOr<std::vector<std::string>> Signers(const plan::v1::SignedStatement& signed_statement) const;

  // The statement that would follow this keyring, with all of these operators and this policy. To be signed.
  crypto::Statement Next(const std::vector<Operator>& operators, const SigningPolicy& policy, UnixMs now) const;
  static crypto::Statement First(const std::vector<Operator>& operators, const SigningPolicy& policy, UnixMs now);

 private:
  Keyring() = default;
  // One version as it stands, without its place in the chain.
  static absl::StatusOr<Keyring> Read(std::string_view bytes);
  absl::StatusOr<std::vector<std::string>> SigningAdmins(const plan::v1::SignedStatement& signed_statement) const;

  uint32_t version_ = 0;
  std::string previous_;
  std::string fingerprint_;
  std::string head_;
  SigningPolicy policy_;
  std::map<std::string, Operator> operators_;
  std::set<std::string> retired_keys_;  // Revoked or replaced in any version so far; their 32 bytes.
};

}  // namespace reprise::model
