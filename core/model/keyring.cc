#include "core/model/keyring.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/model/keyring_text.h"

namespace reprise::model {
namespace {

constexpr int kSignaturesMax = 64;

std::string Fingerprint(std::string_view statement) {
  return ToHex(crypto::Sha256(statement));
}

}  // namespace

bool Operator::Has(v1::Role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

uint32_t SigningPolicy::SignaturesFor(v1::Effect effect) const {
  if (effect == v1::EFFECT_READ) return 0;
  return effect == v1::EFFECT_CHANGE ? change_signatures : destroy_signatures;
}

bool SigningPolicy::Protects(v1::AssetClass asset_class) const {
  return std::find(protected_classes.begin(), protected_classes.end(), asset_class) != protected_classes.end();
}

absl::StatusOr<Keyring> Keyring::Read(std::string_view bytes) {
  ASSIGN_OR_RETURN(internal::KeyringText text, internal::ReadKeyringText(bytes));
  Keyring keyring;
  keyring.version_ = text.version;
  keyring.previous_ = std::move(text.previous);
  keyring.head_ = Fingerprint(bytes);
  keyring.policy_ = std::move(text.policy);
  for (auto& person : text.operators) {
    if (!person.active) keyring.retired_keys_.insert(person.key.Bytes());
    const std::string name = person.name;
    keyring.operators_.emplace(name, std::move(person));
  }
  return keyring;
}

absl::StatusOr<Keyring> Keyring::Found(const plan::v1::SignedStatement& first, std::string_view pinned_fingerprint) {
  const std::string found = Fingerprint(first.statement());
  if (!pinned_fingerprint.empty() && found != pinned_fingerprint) {
    return absl::PermissionDeniedError(absl::StrCat("the keyring is not the one that was pinned: its fingerprint is ",
                                                    found, ", expected ", std::string(pinned_fingerprint),
                                                    ". It belongs to another site, or somebody changed it"));
  }
  ASSIGN_OR_RETURN(Keyring keyring, Read(first.statement()));
  if (keyring.version_ != 1 || keyring.previous_ != "none") {
    return absl::FailedPreconditionError(
        absl::StrCat("a keyring starts with version 1 and previous: none; this is version ", keyring.version_));
  }
  keyring.fingerprint_ = keyring.head_;
  ASSIGN_OR_RETURN(const std::vector<std::string> admins, keyring.SigningAdmins(first));
  if (admins.empty()) {
    return absl::PermissionDeniedError("version 1 of the keyring is not signed by an active admin that it names");
  }
  return keyring;
}

absl::Status Keyring::Extend(const plan::v1::SignedStatement& next) {
  ASSIGN_OR_RETURN(Keyring extended, Read(next.statement()));
  if (extended.version_ != version_ + 1) {
    return absl::FailedPreconditionError(absl::StrCat("keyring version ", extended.version_,
                                                      " does not follow version ", version_,
                                                      "; make the change anew upon the newest keyring"));
  }
  if (extended.previous_ != head_) {
    return absl::FailedPreconditionError(absl::StrCat("keyring version ", extended.version_,
                                                      " follows another version ", version_, " (",
                                                      extended.previous_.substr(0, 16), "…, here ", head_.substr(0, 16),
                                                      "…): the chain is forked. Find out who signed both"));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> admins, SigningAdmins(next));
  if (admins.size() < policy_.keyring_signatures) {
    return absl::PermissionDeniedError(
        absl::StrCat("keyring version ", extended.version_, " needs the signatures of ", policy_.keyring_signatures,
                     " active admin(s) of version ", version_, "; it has ", admins.size(),
                     admins.empty() ? "" : absl::StrCat(" (", absl::StrJoin(admins, ", "), ")")));
  }
  extended.retired_keys_.insert(retired_keys_.begin(), retired_keys_.end());
  for (const auto& [name, person] : operators_) {
    const Operator* after = extended.Find(name);
    if (after == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("keyring version ", extended.version_, " has lost operator ", name, "; revoke instead"));
    }
    if (after->key.Bytes() != person.key.Bytes()) extended.retired_keys_.insert(person.key.Bytes());
  }
  for (const auto& [name, person] : extended.operators_) {
    if (person.active && extended.retired_keys_.contains(person.key.Bytes())) {
      return absl::InvalidArgumentError(absl::StrCat("keyring version ", extended.version_, ": the key of ", name,
                                                     " was revoked or replaced before; make a new one"));
    }
  }
  extended.fingerprint_ = fingerprint_;
  *this = std::move(extended);
  return absl::OkStatus();
}

const Operator* Keyring::Find(std::string_view name) const {
  const auto found = operators_.find(std::string(name));
  return found == operators_.end() ? nullptr : &found->second;
}

absl::StatusOr<std::vector<std::string>> Keyring::Signers(const plan::v1::SignedStatement& signed_statement) const {
  if (signed_statement.signatures_size() > kSignaturesMax) {
    return absl::UnauthenticatedError(
        absl::StrCat(signed_statement.signatures_size(), " signatures; at most ", kSignaturesMax, " are looked at"));
  }
  std::vector<std::string> names;
  for (const auto& signature : signed_statement.signatures()) {
    const auto id = crypto::SignerKeyId(signature.minisig());
    if (!id.ok()) return absl::UnauthenticatedError(id.status().message());
    const auto person = std::find_if(operators_.begin(), operators_.end(), [&](const auto& entry) {
      return entry.second.active && entry.second.key.KeyId() == *id;
    });
    if (person == operators_.end()) continue;
    const absl::Status verified = person->second.key.Verify(signed_statement.statement(), signature.minisig());
    if (!verified.ok()) {
      return absl::UnauthenticatedError(
          absl::StrCat("operator ", person->first, ": ", std::string(verified.message())));
    }
    if (std::find(names.begin(), names.end(), person->first) == names.end()) names.push_back(person->first);
  }
  return names;
}

absl::StatusOr<std::vector<std::string>> Keyring::SigningAdmins(
    const plan::v1::SignedStatement& signed_statement) const {
  ASSIGN_OR_RETURN(std::vector<std::string> names, Signers(signed_statement));
  std::erase_if(names, [&](const std::string& name) { return !Find(name)->Has(v1::ROLE_ADMIN); });
  return names;
}

crypto::Statement Keyring::Next(const std::vector<Operator>& operators, const SigningPolicy& policy, UnixMs now) const {
  return internal::WriteKeyringText({version_ + 1, head_, now, policy, operators});
}

crypto::Statement Keyring::First(const std::vector<Operator>& operators, const SigningPolicy& policy, UnixMs now) {
  return internal::WriteKeyringText({1, "none", now, policy, operators});
}

}  // namespace reprise::model
