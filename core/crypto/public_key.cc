#include <sodium.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/minisign.h"
#include "core/crypto/minisign_format.h"
#include "core/crypto/utf8.h"

namespace reprise::crypto {

using internal::Raw;

absl::StatusOr<PublicKey> PublicKey::Parse(std::string_view text) {
  const auto wrong = [](const auto&... what) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a minisign public key: ", what..., "; expected a line like RWQ…"));
  };
  const auto lines = internal::Lines(text, 4096);
  if (!lines.ok()) return wrong(std::string(lines.status().message()));
  if (lines->empty() || lines->size() > 2) return wrong(lines->size(), " lines");
  if (lines->size() == 2 && !lines->front().starts_with(internal::kUntrustedComment)) {
    return wrong("line 1 is not an untrusted comment");
  }
  const auto bytes = internal::FromCanonicalBase64(lines->back(), "it");
  if (!bytes.ok()) return wrong(std::string(bytes.status().message()));
  const size_t size = 2 + internal::kKeyIdSize + crypto_sign_PUBLICKEYBYTES;
  if (bytes->size() != size) return wrong(bytes->size(), " bytes, not ", size);
  if (!bytes->starts_with(internal::kKeyAlgorithm)) return wrong("unknown algorithm");
  PublicKey key;
  key.base64_ = lines->back();
  key.id_ = bytes->substr(2, internal::kKeyIdSize);
  key.key_ = bytes->substr(2 + internal::kKeyIdSize);
  return key;
}

std::string PublicKey::File(std::string_view comment) const {
  return absl::StrCat(std::string(internal::kUntrustedComment), MakePlain(comment), "\n", base64_, "\n");
}

std::string PublicKey::KeyId() const {
  return internal::KeyIdText(id_);
}

absl::Status PublicKey::Verify(std::string_view message, std::string_view minisig) const {
  ASSIGN_OR_RETURN(const internal::SignatureParts parts, internal::ParseSignature(minisig));
  if (parts.key_id != id_) {
    return absl::UnauthenticatedError(
        absl::StrCat("the signature was made by key ", internal::KeyIdText(parts.key_id), ", not by ", KeyId()));
  }
  const std::string hash = internal::Prehash(message);
  if (crypto_sign_verify_detached(Raw(parts.signature), Raw(hash), hash.size(), Raw(key_)) != 0) {
    return absl::UnauthenticatedError(absl::StrCat("the signature of key ", KeyId(), " is not over these bytes"));
  }
  const std::string all = parts.signature + parts.trusted_comment;
  if (crypto_sign_verify_detached(Raw(parts.global_signature), Raw(all), all.size(), Raw(key_)) != 0) {
    return absl::UnauthenticatedError(absl::StrCat("the trusted comment of key ", KeyId(), "'s signature was altered"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SignerKeyId(std::string_view minisig) {
  ASSIGN_OR_RETURN(const internal::SignatureParts parts, internal::ParseSignature(minisig));
  return internal::KeyIdText(parts.key_id);
}

}  // namespace reprise::crypto
