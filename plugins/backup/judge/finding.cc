#include "plugins/backup/judge/finding.h"

namespace reprise::backup {

const char* NameOf(Sign sign) {
  switch (sign) {
    case Sign::kEncrypted:
      return "encrypted";
    case Sign::kEncryptedPart:
      return "encrypted_in_part";
    case Sign::kDamaged:
      return "damaged";
    case Sign::kTruncated:
      return "truncated";
    case Sign::kMissing:
      return "missing";
    case Sign::kTampered:
      return "tampered";
    case Sign::kUnreadable:
      return "unreadable";
    case Sign::kUndecided:
      return "undecided";
  }
  return "undecided";
}

}  // namespace reprise::backup
