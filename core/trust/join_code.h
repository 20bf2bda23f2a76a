// The one text that a new host needs: who it is, a secret that serves once, and by which fingerprints it knows the
// coordinator and the site's keyring. Written on paper or pasted: "<host>:<secret>:<CA SHA-256>:<keyring SHA-256>".
// The coordinator keeps only the secret's hash.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/random.h"

namespace reprise::trust {

// How long a code may be used.
inline constexpr UnixMs kTokenLifeDefault = 3'600'000;
inline constexpr UnixMs kTokenLifeMin = 60'000;
// A sheet for a whole site takes days to carry round.
inline constexpr UnixMs kTokenLifeMax = 7 * 24 * UnixMs{3'600'000};

struct JoinCode {
  std::string host;
  std::string secret;
  std::string ca_fingerprint;       // Lower-case hex, 64 digits.
  std::string keyring_fingerprint;  // Likewise.

  std::string Text() const;
  // INVALID_ARGUMENT says which part is wrong, never what the secret is.
  static absl::StatusOr<JoinCode> Parse(std::string_view text);
};

// 130 bits of chance in 26 letters and digits that are not mistaken for each other on paper.
std::string NewJoinSecret(Random& random);
// What the coordinator stores and compares: SHA-256, 32 bytes.
std::string HashJoinSecret(std::string_view secret);

// Takes as long for a near miss as for a far one.
bool EqualInConstantTime(std::string_view a, std::string_view b);

// The life asked for (0: the default), when it is within bounds. INVALID_ARGUMENT names them.
absl::StatusOr<UnixMs> TokenLife(UnixMs asked);

}  // namespace reprise::trust
