// The verdict on a recovery point, by one rule over counts. The words are those of the trade (docs/ARCHITECTURE.md).
#pragma once

#include <array>
#include <cstdint>

#include "plugins/backup/judge/finding.h"

namespace reprise::backup {

enum class Verdict {
  kIntact,         // Decoded to the end, every byte under a checksum, known to be complete.
  kIntactSampled,  // Decoded to the end; only a part stands under a checksum, or nothing says what else should be
                   // there.
  kPartial,        // What is missing is listed.
  kCorrupt,
  kEncryptedTotal,
  kEncryptedPartial,
  kTampered,    // Names or notes.
  kUnreadable,  // A key, tool or permission is missing.
  kNotEvaluated,
};

const char* NameOf(Verdict verdict);
// INTACT and INTACT_SAMPLED; everything else must not be restored from.
bool IsSound(Verdict verdict);

// What was seen of a recovery point.
struct Facts {
  uint64_t files = 0;
  Extent extent;                              // Of all files together.
  std::array<uint64_t, kSigns> files_with{};  // Files with at least one finding of a sign.
  bool complete = false;                      // Something names all files that there must be, and they are there.

  bool Any(Sign sign) const { return files_with[static_cast<size_t>(sign)] > 0; }
};

Verdict VerdictOf(const Facts& facts);

}  // namespace reprise::backup
