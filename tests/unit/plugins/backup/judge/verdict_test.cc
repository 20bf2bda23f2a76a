#include "plugins/backup/judge/verdict.h"

#include <gtest/gtest.h>

namespace reprise::backup {
namespace {

Facts Decoded() {
  return {.files = 1, .extent = {100, 100, 100}, .complete = true};
}

Facts With(Facts facts, Sign sign) {
  facts.files_with[static_cast<size_t>(sign)] = 1;
  return facts;
}

TEST(Verdict, IsIntactOnlyWhenEveryByteWasDecodedAndCheckedAndNothingCanBeMissing) {
  EXPECT_EQ(VerdictOf(Decoded()), Verdict::kIntact);
  Facts facts = Decoded();
  facts.extent.checked = 99;
  EXPECT_EQ(VerdictOf(facts), Verdict::kIntactSampled);
  facts = Decoded();
  facts.complete = false;
  EXPECT_EQ(VerdictOf(facts), Verdict::kIntactSampled);
  facts = Decoded();
  facts.extent.decoded = 99;
  EXPECT_EQ(VerdictOf(facts), Verdict::kNotEvaluated);
}

TEST(Verdict, IsNeverSoundWithAnyFindingAtAll) {
  for (int sign = 0; sign < kSigns; ++sign) {
    EXPECT_FALSE(IsSound(VerdictOf(With(Decoded(), static_cast<Sign>(sign))))) << NameOf(static_cast<Sign>(sign));
  }
}

TEST(Verdict, NothingToReadIsNothingEvaluated) {
  EXPECT_EQ(VerdictOf({}), Verdict::kNotEvaluated);
  EXPECT_EQ(VerdictOf({.files = 3, .extent = {}, .complete = true}), Verdict::kNotEvaluated);
}

TEST(Verdict, TellsTotalFromPartialEncryptionByWhatIsLeft) {
  EXPECT_EQ(VerdictOf(With(Decoded(), Sign::kEncrypted)), Verdict::kEncryptedPartial);
  EXPECT_EQ(VerdictOf(With({.files = 1, .extent = {100, 0, 0}}, Sign::kEncrypted)), Verdict::kEncryptedTotal);
  EXPECT_EQ(VerdictOf(With({.files = 1, .extent = {100, 0, 0}}, Sign::kEncryptedPart)), Verdict::kEncryptedPartial);
}

TEST(Verdict, BadSignsComeBeforeMissingPartsAndThoseBeforeWhatIsUnknown) {
  EXPECT_EQ(VerdictOf(With(With(Decoded(), Sign::kDamaged), Sign::kMissing)), Verdict::kCorrupt);
  EXPECT_EQ(VerdictOf(With(With(Decoded(), Sign::kTampered), Sign::kMissing)), Verdict::kTampered);
  EXPECT_EQ(VerdictOf(With(With(Decoded(), Sign::kTampered), Sign::kDamaged)), Verdict::kEncryptedPartial);
  EXPECT_EQ(VerdictOf(With(With(Decoded(), Sign::kTruncated), Sign::kUnreadable)), Verdict::kPartial);
  EXPECT_EQ(VerdictOf(With(With(Decoded(), Sign::kUnreadable), Sign::kUndecided)), Verdict::kUnreadable);
}

}  // namespace
}  // namespace reprise::backup
