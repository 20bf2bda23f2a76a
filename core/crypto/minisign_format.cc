#include "core/crypto/minisign_format.h"

#include <sodium.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"

namespace reprise::crypto::internal {
namespace {

constexpr size_t kSignatureFileMax = 16 << 10;

}  // namespace

absl::StatusOr<std::vector<std::string>> Lines(std::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat(text.size(), " bytes; expected at most ", bytes_max));
  }
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

absl::StatusOr<std::string> FromCanonicalBase64(std::string_view text, std::string_view what) {
  auto bytes = FromBase64(text);
  if (!bytes.ok() || ToBase64(*bytes) != text) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(what), " is not base64"));
  }
  return bytes;
}

absl::StatusOr<SignatureParts> ParseSignature(std::string_view minisig) {
  const auto wrong = [](std::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("not a minisign signature: ", std::string(what)));
  };
  const auto lines = Lines(minisig, kSignatureFileMax);
  if (!lines.ok()) return wrong(std::string(lines.status().message()));
  if (lines->size() != 4) return wrong(absl::StrCat("expected 4 lines, found ", lines->size()));
  if (!(*lines)[0].starts_with(kUntrustedComment)) return wrong("line 1 is not an untrusted comment");
  if (!(*lines)[2].starts_with(kTrustedComment)) return wrong("line 3 is not a trusted comment");
  ASSIGN_OR_RETURN(const std::string first, FromCanonicalBase64((*lines)[1], "line 2 of the signature"));
  SignatureParts parts;
  ASSIGN_OR_RETURN(parts.global_signature, FromCanonicalBase64((*lines)[3], "line 4 of the signature"));
  if (first.size() != 2 + kKeyIdSize + crypto_sign_BYTES) return wrong("line 2 has not the length of a signature");
  if (parts.global_signature.size() != crypto_sign_BYTES) return wrong("line 4 has not the length of a signature");
  if (first.starts_with(kKeyAlgorithm)) return wrong("it has the legacy form; sign again without -l");
  if (!first.starts_with(kPrehashedAlgorithm)) return wrong("unknown algorithm");
  parts.key_id = first.substr(2, kKeyIdSize);
  parts.signature = first.substr(2 + kKeyIdSize);
  parts.trusted_comment = (*lines)[2].substr(kTrustedComment.size());
  return parts;
}

std::string Prehash(std::string_view message) {
  std::string hash(crypto_generichash_BYTES_MAX, '\0');
  crypto_generichash(Raw(hash), hash.size(), Raw(message), message.size(), nullptr, 0);
  return hash;
}

std::string KeyIdText(std::string_view id) {
  std::string reversed(id.rbegin(), id.rend());
  return absl::AsciiStrToUpper(ToHex(reversed));
}

const unsigned char* Raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* Raw(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace reprise::crypto::internal
