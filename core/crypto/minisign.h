// Ed25519 keys and signatures in minisign's file formats (https://jedisct1.github.io/minisign/), so that the
// `minisign` program makes and verifies them too. Signatures are prehashed ("ED", BLAKE2b-512).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise::crypto {

class PublicKey {
 public:
  // The base64 line, alone or as the second line of a .pub file.
  static absl::StatusOr<PublicKey> Parse(std::string_view text);

  const std::string& Base64() const { return base64_; }       // The line that minisign's -P takes.
  std::string File(std::string_view comment) const;           // A .pub file.
  std::string KeyId() const;                                  // 16 upper-case hex digits, as minisign prints it.
  const std::string& Bytes() const { return key_; }           // The Ed25519 key itself, 32 bytes: two texts may
                                                              // differ in the id and hold the same key.

  // Verifies a .minisig text over `message`, its trusted comment included.
  // INVALID_ARGUMENT: not a signature file, or one in minisign's legacy form (-l); UNAUTHENTICATED: another key's,
  // or wrong.
  absl::Status Verify(std::string_view message, std::string_view minisig) const;

 private:
  friend class SecretKey;
  std::string base64_;
  std::string id_;   // 8 bytes
  std::string key_;  // 32 bytes
};

class SecretKey {
 public:
  static SecretKey Generate();
  // A .key file. Encrypted ones need the password (scrypt); UNAUTHENTICATED when it is wrong.
  static absl::StatusOr<SecretKey> Parse(std::string_view file, std::string_view password);

  SecretKey(SecretKey&&) noexcept = default;
  SecretKey& operator=(SecretKey&& other) noexcept;
  ~SecretKey();  // Wiped.

  // With an empty password the key is kept in clear (minisign -W). Else takes most of a second and 256 MiB, on purpose;
  // RESOURCE_EXHAUSTED when the memory is not to be had.
  absl::StatusOr<std::string> File(std::string_view password) const;
  PublicKey Public() const;
  // A .minisig text. `trusted_comment` is one line, signed too; what is not plain text
  // in it becomes spaces.
  std::string Sign(std::string_view message, std::string_view trusted_comment) const;

 private:
  SecretKey() = default;
  std::string id_;      // 8 bytes
  std::string secret_;  // 64 bytes
};

// The id of the key that made a .minisig text, as PublicKey::KeyId prints it.
absl::StatusOr<std::string> SignerKeyId(std::string_view minisig);

}  // namespace reprise::crypto
