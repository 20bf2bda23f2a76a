// What a person reads who mistyped something: never the parser's own words.
#include <gmock/gmock.h>

#include "core/cli/commands/commands.h"
#include "core/cli/commands/declarations.h"
#include "tests/unit/core/cli/fakes.h"

namespace reprise::cli::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string SaidOf(const std::vector<std::string>& arguments) {
  FakeTerminal terminal;
  const ManualClock clock(kNoon);
  SystemRandom random;
  Context context(terminal, clock, random, nullptr);
  EXPECT_EQ(RunApplication(Groups(), Commands(), arguments, context), kExitUsage);
  return terminal.Err();
}

TEST(ParseErrors, NameTheValueAndWhatWasExpected) {
  EXPECT_THAT(SaidOf({"status", "--output", "xml"}),
              StartsWith("reprise: --output is xml; expected table, wide or json\n  try: reprise status --help"));
  EXPECT_THAT(SaidOf({"status", "-o", "xml"}), StartsWith("reprise: --output is xml; expected table, wide or json"));
  EXPECT_THAT(SaidOf({"run", "show", "7", "--targets", "some"}),
              StartsWith("reprise: --targets is some; expected troubled, all or none"));
  EXPECT_THAT(SaidOf({"report", "run", "7", "--lang", "de"}), StartsWith("reprise: --lang is de; expected fr or en"));
  EXPECT_THAT(SaidOf({"run", "show", "seven"}), StartsWith("reprise: RUN is seven; expected a whole number"));
  EXPECT_THAT(SaidOf({"journal", "export", "dir", "--from", "0"}),
              StartsWith("reprise: --from is 0; expected a whole number above 0"));
  EXPECT_THAT(SaidOf({"status", "--timeout", "soon"}), StartsWith("reprise: --timeout: \"soon\": expected a duration"));
}

TEST(ParseErrors, SuggestTheNearestCommandOfItsGroup) {
  EXPECT_EQ(SaidOf({"backup", "jugde", "planning.dump"}), "reprise: backup has no command \"jugde\"; did you mean judge?\n");
  EXPECT_EQ(SaidOf({"statsu"}), "reprise: there is no command \"statsu\"; did you mean status?\n");
  EXPECT_EQ(SaidOf({"--profile", "status", "--timeout", "5s", "statsu"}),
            "reprise: there is no command \"statsu\"; did you mean status?\n");
}

TEST(ParseErrors, ListTheCommandsWhereNoneIsNear) {
  EXPECT_EQ(SaidOf({"backup"}), "reprise: backup wants a command: it has judge, ls\n");
  EXPECT_EQ(SaidOf({"backup", "restore-everything"}),
            "reprise: backup has no command \"restore-everything\"; it has judge, ls\n");
  EXPECT_EQ(SaidOf({"-o", "json"}), "reprise: which command? `reprise --help` lists them\n");
}

TEST(ParseErrors, SayWhatIsMissingOrTooMuch) {
  EXPECT_THAT(SaidOf({"run", "show"}), StartsWith("reprise: RUN is required\n  try: reprise run show --help"));
  EXPECT_THAT(SaidOf({"run", "show", "7", "--target", "all"}),
              StartsWith("reprise: run show has no option --target; did you mean --targets?"));
  EXPECT_THAT(SaidOf({"run", "show", "7", "8"}), StartsWith("reprise: run show takes no \"8\" there"));
  EXPECT_THAT(SaidOf({"run", "show", "7", "--targets"}), StartsWith("reprise: --targets wants a value"));
}

}  // namespace
}  // namespace reprise::cli::testing
