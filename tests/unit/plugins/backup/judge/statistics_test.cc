#include "plugins/backup/judge/statistics.h"

#include <gtest/gtest.h>

#include "plugins/backup/judge/damage.h"
#include "tests/unit/plugins/backup/bytes.h"

namespace reprise::backup {
namespace {

using testing::Prose;
using testing::RandomBytes;
using testing::Striped;

Survey Surveyed(std::string bytes) {
  MemorySource source(std::move(bytes));
  return SurveyOf(source);
}

TEST(Statistics, RandomBytesLookRandomWindowAfterWindow) {
  int random = 0;
  for (unsigned seed = 0; seed < 200; ++seed) random += LookOf(RandomBytes(kWindow, seed)) == Look::kRandom ? 1 : 0;
  EXPECT_GE(random, 199);
}

TEST(Statistics, TextZerosAndCountingDoNot) {
  EXPECT_EQ(LookOf(Prose(kWindow)), Look::kText);
  EXPECT_EQ(LookOf(std::string(kWindow, '\0')), Look::kZero);
  std::string counting;
  for (size_t i = 0; i < kWindow; ++i) counting += static_cast<char>(i);
  EXPECT_EQ(LookOf(counting), Look::kOther);
}

TEST(Statistics, AFewBytesAreNeverCalledRandom) {
  EXPECT_EQ(LookOf(RandomBytes(300)), Look::kOther);
}

TEST(Statistics, EveryOtherSixteenBytesEncryptedAreSeenAsStripes) {
  EXPECT_TRUE(LooksStriped(Striped(Prose(200'000), 16)));
  EXPECT_FALSE(LooksStriped(Prose(200'000)));
  EXPECT_FALSE(LooksStriped(RandomBytes(200'000)));
}

TEST(Statistics, ASurveySaysWhereRandomBytesBegin) {
  const Survey survey = Surveyed(Prose(8 * kWindow) + std::string(100, ' ') + RandomBytes(4 * kWindow));
  EXPECT_FALSE(survey.head_random);
  EXPECT_TRUE(survey.tail_random);
  EXPECT_GE(survey.first_random, 7 * kWindow);
  EXPECT_LE(survey.first_random, 9 * kWindow);
}

struct Case {
  const char* what;
  Broken broken;
  std::string bytes;
  Sign sign;
};

TEST(Damage, IsExplainedByWhatTheBytesLookLike) {
  const Broken text{.text = true};
  const Broken lost{.dense = true, .magic_lost = true};
  const Case cases[] = {
      {"text, all encrypted", {.text = true, .magic_lost = true}, RandomBytes(40'000), Sign::kEncrypted},
      {"a short text, all encrypted", {.text = true, .magic_lost = true}, RandomBytes(200), Sign::kEncrypted},
      {"text, its head encrypted",
       {.text = true, .magic_lost = true},
       RandomBytes(4096) + Prose(40'000),
       Sign::kEncryptedPart},
      {"text, every other 16 bytes", text, Striped(Prose(40'000), 16), Sign::kEncryptedPart},
      {"text, one bad byte", text, Prose(20'000) + "\x01" + Prose(20'000), Sign::kDamaged},
      {"text, zeros", text, Prose(20'000) + std::string(8192, '\0') + Prose(20'000), Sign::kDamaged},
      {"packed, all encrypted", lost, RandomBytes(40'000), Sign::kEncrypted},
      {"packed, only its middle broken", {.dense = true}, RandomBytes(40'000), Sign::kDamaged},
      {"packed, its head zeroed", lost, std::string(8192, '\0') + RandomBytes(40'000), Sign::kDamaged},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(Explain(one.broken, Surveyed(one.bytes), LookOf(one.bytes.substr(0, kWindow))), one.sign) << one.what;
  }
}

}  // namespace
}  // namespace reprise::backup
