#include "core/cli/progress_bar.h"

#include <gmock/gmock.h>

#include "core/base/text.h"
#include "tests/unit/core/cli/fakes.h"

namespace reprise::cli::testing {
namespace {

using ::testing::HasSubstr;

TEST(ProgressBar, IsOneLineRewrittenWhereAPersonLooksOn) {
  FakeTerminal terminal;
  terminal.watched = true;
  terminal.width = 100;
  {
    ProgressBar bar(terminal, "planning.dump", 10'000'000, Unit::kBytes, kNoon);
    bar.Show(5'000'000, kNoon + 1'000);
    EXPECT_EQ(terminal.Err(), "\r\x1b[Kplanning.dump  [##########----------]  5.0 MB of 10.0 MB  50 %  0:01 left");
    bar.Show(5'100'000, kNoon + 1'050);
    EXPECT_THAT(terminal.Err(), ::testing::Not(HasSubstr("51 %"))) << "not more often than an eye follows";
  }
  EXPECT_TRUE(terminal.Err().ends_with("\r\x1b[K")) << "it takes itself away";
}

TEST(ProgressBar, IsAPlainLineEachHalfMinuteInALog) {
  FakeTerminal terminal;
  ProgressBar bar(terminal, "planning.dump", 10'000'000, Unit::kBytes, kNoon);
  bar.Show(1'000'000, kNoon + 29'999);
  EXPECT_EQ(terminal.Err(), "");
  bar.Show(2'500'000, kNoon + 30'000);
  bar.Show(2'600'000, kNoon + 31'000);
  EXPECT_EQ(terminal.Err(), FormatTime(kNoon + 30'000) + "  planning.dump  2.5 MB of 10.0 MB  25 %  1:30 left\n");
  bar.Show(5'000'000, kNoon + 60'000);
  EXPECT_THAT(terminal.Err(), HasSubstr("  50 %  1:00 left\n"));
}

}  // namespace
}  // namespace reprise::cli::testing
