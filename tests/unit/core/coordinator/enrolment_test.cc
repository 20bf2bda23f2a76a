#include "core/coordinator/enrolment.h"

#include "tests/support/status_matchers.h"

namespace reprise::coordinator {
namespace {

TEST(JoinLimits, HoldOneAddressThatFailsAndLetOthersPass) {
  JoinLimits limits;
  for (int i = 0; i < JoinLimits::kFailuresMax; ++i) {
    EXPECT_TRUE(limits.MayTry("10.0.0.1", 1000));
    limits.Failed("10.0.0.1", 1000);
  }
  EXPECT_FALSE(limits.MayTry("10.0.0.1", 1000));
  EXPECT_TRUE(limits.MayTry("10.0.0.2", 1000));
  EXPECT_TRUE(limits.MayTry("10.0.0.1", 1000 + JoinLimits::kWindow)) << "not for ever";
}

TEST(JoinLimits, LetAWholeSiteJoinFromOneTranslatedAddress) {
  JoinLimits limits;
  for (int i = 0; i < 3'200; ++i) EXPECT_TRUE(limits.MayTry("10.0.0.1", 1000));
}

TEST(JoinLimits, BoundWhatAllTogetherCost) {
  JoinLimits limits;
  int passed = 0;
  for (int i = 0; i < JoinLimits::kTriesMax + 100; ++i) passed += limits.MayTry("10.0.0.1", 1000);
  EXPECT_EQ(passed, JoinLimits::kTriesMax);
}

}  // namespace
}  // namespace reprise::coordinator
