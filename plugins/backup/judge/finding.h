// What was seen that speaks against a backup: where, what had to stand there, what stood there. A person can look it
// up.
#pragma once

#include <cstdint>
#include <string>

namespace reprise::backup {

enum class Sign {
  kEncrypted,      // Nothing but random bytes where structure had to be.
  kEncryptedPart,  // Some of it.
  kDamaged,        // Structure broken or a check that does not agree, by whatever cause.
  kTruncated,      // Sound until the bytes end too early.
  kMissing,        // A part that another part names is not there.
  kTampered,       // Names or notes that ransomware leaves.
  kUnreadable,     // A key, a tool or a permission is missing; nothing is said about the content.
  kUndecided,      // Looked at, and neither proven sound nor proven bad.
};
inline constexpr int kSigns = 8;

const char* NameOf(Sign sign);

struct Finding {
  Sign sign = Sign::kUndecided;
  std::string file;  // "pacs/7.dcm"; inside of a container: "all.tar.gz!etc/passwd"
  uint64_t offset = 0;
  std::string expected;
  std::string found;
  // Undecided, but no window of it looks random: what has an agreeing checksum around it is as it was written.
  bool quiet = false;
  // Damaged, but text from its first byte to its last, or empty: under an agreeing checksum it was written so (a template, a mark).
  bool grammar = false;
};

// How much of a content was proven, in its own bytes.
struct Extent {
  uint64_t bytes = 0;
  uint64_t decoded = 0;  // Understood to their end.
  uint64_t checked = 0;  // Under a checksum that agreed, so that not even one bit can have changed.
  bool vouched = false;  // Some of it is of no known format, and only as it was written: a checksum around it agreed.
  bool ends = false;     // Its own grammar says where it ends: nothing can be missing behind it.
};

}  // namespace reprise::backup
