#include "plugins/backup/judge/verdict.h"

namespace reprise::backup {
namespace {

bool NothingDecoded(const Facts& facts) {
  return facts.extent.decoded == 0;
}
bool AllDecoded(const Facts& facts) {
  return facts.files > 0 && facts.extent.bytes > 0 && facts.extent.decoded >= facts.extent.bytes;
}
bool AllChecked(const Facts& facts) {
  return AllDecoded(facts) && facts.extent.checked >= facts.extent.bytes;
}
bool AnyEncrypted(const Facts& facts) {
  return facts.Any(Sign::kEncrypted) || facts.Any(Sign::kEncryptedPart);
}

struct Row {
  Verdict verdict;
  bool (*holds)(const Facts& facts);
};

// The first row that holds. Bad signs come before missing parts, and those before what could not be read: a verdict
// never becomes better because something else was not looked at.
constexpr Row kRows[] = {
    {Verdict::kEncryptedTotal, [](const Facts& f) { return f.Any(Sign::kEncrypted) && NothingDecoded(f); }},
    {Verdict::kEncryptedPartial, [](const Facts& f) { return AnyEncrypted(f); }},
    // Who renames and leaves notes also did the damage.
    {Verdict::kEncryptedPartial, [](const Facts& f) { return f.Any(Sign::kTampered) && f.Any(Sign::kDamaged); }},
    {Verdict::kCorrupt, [](const Facts& f) { return f.Any(Sign::kDamaged); }},
    {Verdict::kTampered, [](const Facts& f) { return f.Any(Sign::kTampered); }},
    {Verdict::kPartial, [](const Facts& f) { return f.Any(Sign::kTruncated) || f.Any(Sign::kMissing); }},
    {Verdict::kUnreadable, [](const Facts& f) { return f.Any(Sign::kUnreadable); }},
    {Verdict::kNotEvaluated, [](const Facts& f) { return f.Any(Sign::kUndecided) || !AllDecoded(f); }},
    {Verdict::kIntact, [](const Facts& f) { return AllChecked(f) && f.complete; }},
    {Verdict::kIntactSampled, [](const Facts& f) { return AllDecoded(f); }},
};

}  // namespace

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kIntact:
      return "INTACT";
    case Verdict::kIntactSampled:
      return "INTACT_SAMPLED";
    case Verdict::kPartial:
      return "PARTIAL";
    case Verdict::kCorrupt:
      return "CORRUPT";
    case Verdict::kEncryptedTotal:
      return "ENCRYPTED_TOTAL";
    case Verdict::kEncryptedPartial:
      return "ENCRYPTED_PARTIAL";
    case Verdict::kTampered:
      return "TAMPERED";
    case Verdict::kUnreadable:
      return "UNREADABLE";
    case Verdict::kNotEvaluated:
      return "NOT_EVALUATED";
  }
  return "NOT_EVALUATED";
}

bool IsSound(Verdict verdict) {
  return verdict == Verdict::kIntact || verdict == Verdict::kIntactSampled;
}

Verdict VerdictOf(const Facts& facts) {
  for (const Row& row : kRows) {
    if (row.holds(facts)) return row.verdict;
  }
  return Verdict::kNotEvaluated;
}

}  // namespace reprise::backup
