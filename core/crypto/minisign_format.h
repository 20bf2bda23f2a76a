// The parts of minisign's files as bytes, for the two files that make and read them. Private to core/crypto.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace reprise::crypto::internal {

inline constexpr std::string_view kKeyAlgorithm = "Ed";
inline constexpr std::string_view kPrehashedAlgorithm = "ED";
inline constexpr std::string_view kUntrustedComment = "untrusted comment: ";
inline constexpr std::string_view kTrustedComment = "trusted comment: ";
inline constexpr size_t kKeyIdSize = 8;

struct SignatureParts {
  std::string key_id;
  std::string signature;  // Over BLAKE2b-512 of the message.
  std::string trusted_comment;
  std::string global_signature;  // Over signature and trusted comment.
};
// INVALID_ARGUMENT says which line is wrong.
absl::StatusOr<SignatureParts> ParseSignature(std::string_view minisig);

// The lines of a small text file, without their ends (LF or CR LF). INVALID_ARGUMENT past `bytes_max`.
absl::StatusOr<std::vector<std::string>> Lines(std::string_view text, size_t bytes_max);

// Base64 in its one canonical form. INVALID_ARGUMENT names `what`.
absl::StatusOr<std::string> FromCanonicalBase64(std::string_view text, std::string_view what);

std::string Prehash(std::string_view message);
std::string KeyIdText(std::string_view id);  // As minisign prints it: little endian.

const unsigned char* Raw(std::string_view bytes);
unsigned char* Raw(std::string& bytes);

}  // namespace reprise::crypto::internal
