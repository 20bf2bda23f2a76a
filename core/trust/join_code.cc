#include "core/trust/join_code.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/model/names.h"

namespace reprise::trust {
namespace {

// Crockford's: without i, l, o and u.
constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr size_t kSecretSize = 26;  // 5 bits each.
constexpr size_t kSecretMax = 128;

bool IsFingerprint(std::string_view text) {
  return text.size() == 2 * crypto::kSha256Size && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool IsSecret(std::string_view text) {
  return text.size() >= kSecretSize && text.size() <= kSecretMax &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isalnum(c); });
}

}  // namespace

std::string JoinCode::Text() const {
  return absl::StrCat(host, ":", secret, ":", ca_fingerprint, ":", keyring_fingerprint);
}

absl::StatusOr<JoinCode> JoinCode::Parse(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(std::string(text.substr(0, 1024)), ':');
  const auto wrong = [](const auto&... what) {
    return absl::InvalidArgumentError(absl::StrCat("join code: ", what..., ". Copy it anew from `reprise host token`"));
  };
  if (parts.size() != 4) {
    return wrong("it has ", parts.size(), " parts; expected <host>:<secret>:<CA SHA-256>:<keyring SHA-256>");
  }
  if (!model::IsName(parts[0])) return wrong("its first part is not the name of a host");
  if (!IsSecret(parts[1])) return wrong("its second part, the secret, is cut off or damaged");
  if (!IsFingerprint(parts[2])) return wrong("its third part, the authority's fingerprint, is not 64 hex digits");
  if (!IsFingerprint(parts[3])) return wrong("its fourth part, the keyring's fingerprint, is not 64 hex digits");
  return JoinCode{parts[0], parts[1], parts[2], parts[3]};
}

std::string NewJoinSecret(Random& random) {
  std::string secret;
  for (const char byte : random.Bytes(kSecretSize)) {
    secret.push_back(kAlphabet[static_cast<unsigned char>(byte) % kAlphabet.size()]);  // 256 is a multiple of 32.
  }
  return secret;
}

std::string HashJoinSecret(std::string_view secret) {
  return crypto::Sha256(secret);
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

absl::StatusOr<UnixMs> TokenLife(UnixMs asked) {
  if (asked == 0) return kTokenLifeDefault;
  if (asked < kTokenLifeMin || asked > kTokenLifeMax) {
    return absl::InvalidArgumentError(absl::StrCat("a join code cannot live for ", asked, " ms; from ",
                                                   FormatDurationMs(kTokenLifeMin), " to ",
                                                   FormatDurationMs(kTokenLifeMax)));
  }
  return asked;
}

}  // namespace reprise::trust
