// restic's own cryptography: a password opens a key file, the key in it opens everything else (AES-256-CTR under
// Poly1305-AES; https://restic.readthedocs.io, "References", "Design").
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reprise::backup {

class ResticKey {
 public:
  // From a key file's text and a password. Nothing: not this password, or not a key file.
  static std::optional<ResticKey> Open(std::string_view key_file, const std::string& password);

  // Nothing: the MAC does not agree.
  std::optional<std::string> Decrypt(std::string_view sealed) const;

 private:
  std::string encrypt_;  // 32 bytes
  std::string mac_k_;    // 16
  std::string mac_r_;    // 16
};

// A key file, as far as it can be told without a password.
bool IsResticKeyFile(std::string_view text);
// RESTIC_PASSWORD, or the first line of RESTIC_PASSWORD_FILE. Nothing: neither; `why` says so.
std::optional<std::string> ResticPassword(std::string* why);
// What restic 0.14 and later pack with zstd before they encrypt; empty: broken.
std::optional<std::string> UnpackZstd(std::string_view packed, size_t max);

}  // namespace reprise::backup
