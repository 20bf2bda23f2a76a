#include "core/crypto/statement.h"

#include "core/crypto/utf8.h"
#include "tests/support/any_bytes.h"
#include "tests/support/status_matchers.h"

namespace reprise::crypto {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(StatementTest, GivesBackTheBytesItWasReadFrom) {
  const std::string bytes = "reprise-plan/v1\nplan: edr-7f3a91c2\nnote: Hôpital: 3 étages\nempty:\nhost: a\nhost: b\n";
  ASSERT_OK_AND_ASSIGN(const Statement statement, Statement::Parse(bytes));
  EXPECT_EQ(statement.kind(), "reprise-plan/v1");
  EXPECT_EQ(statement.Bytes(), bytes);
  EXPECT_EQ(*statement.Get("note"), "Hôpital: 3 étages");
  EXPECT_EQ(*statement.Get("empty"), "");
  EXPECT_THAT(statement.All("host"), ElementsAre("a", "b"));
}

TEST(StatementTest, SaysWhetherAKeyIsMissingOrRepeated) {
  ASSERT_OK_AND_ASSIGN(const Statement statement, Statement::Parse("k/v1\nhost: a\nhost: b\n"));
  EXPECT_THAT(statement.Get("zone"), StatusIs(kInvalid, HasSubstr("\"zone\" is missing")));
  EXPECT_THAT(statement.Get("host"), StatusIs(kInvalid, HasSubstr("more than once")));
}

TEST(StatementTest, RefusesEverythingOutsideItsGrammarAndNamesTheLine) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "line 1"},
      {"\n", "line 1"},
      {"reprise-plan/v1", "line 1: does not end with LF"},
      {"reprise-plan\na: b\n", "line 1: expected the kind"},
      {"reprise-plan/v0\n", "line 1: expected the kind"},
      {"reprise-plan/v1x\n", "line 1: expected the kind"},
      {"Reprise/v1\n", "line 1: expected the kind"},
      {"k/v1\na: b", "line 2: does not end with LF"},
      {"k/v1\n\na: b\n", "line 2: expected \"key: value\""},
      {"k/v1\na: b\n\n", "line 3"},
      {"k/v1\na: b\r\n", "line 2: byte 5"},
      {"k/v1\r\na: b\n", "line 1: byte 5"},
      {std::string("k/v1\na: b\0c\n", 12), "line 2: byte 5"},
      {"k/v1\na: b\tc\n", "line 2: byte 5"},
      {"k/v1\na: \x1b[2J\n", "line 2: byte 4"},
      {"k/v1\na: \x7f\n", "line 2: byte 4"},
      {"k/v1\na: \xc2\x85\n", "line 2: byte 4"},  // NEL, a control character of U+0080…
      {"k/v1\na: \xe2\x80\xae"
       "gpj\n",
       "byte 4"},                              // Right-to-left override.
      {"k/v1\na: x\xe2\x80\x8b\n", "byte 5"},  // Zero width space.
      {"k/v1\na: \xe2\x80\xa8\n", "byte 4"},   // Line separator.
      {"k/v1\na: \xc0\xaf\n", "byte 4"},       // Overlong.
      {"k/v1\na: \xed\xa0\x80\n", "byte 4"},   // Surrogate.
      {"k/v1\na: \xff\n", "byte 4"},
      {"k/v1\na: \xe2\x82\n", "byte 4"},  // Cut off.
      {"k/v1\na:b\n", "line 2: expected one space"},
      {"k/v1\na:  b\n", "line 2: spaces around"},
      {"k/v1\na: b \n", "line 2: spaces around"},
      {"k/v1\na: \n", "line 2: spaces around"},
      {"k/v1\n: b\n", "line 2: a key is made of"},
      {"k/v1\nA: b\n", "line 2: a key is made of"},
      {"k/v1\na_b: c\n", "line 2: a key is made of"},
      {"k/v1\n a: b\n", "line 2: a key is made of"},
      {"k/v1\n" + std::string(65, 'a') + ": b\n", "line 2: a key is made of"},
  };
  for (const auto& [bytes, message] : cases) {
    EXPECT_THAT(Statement::Parse(bytes), StatusIs(kInvalid, HasSubstr(message))) << bytes;
  }
}

TEST(StatementTest, DoesNotReadGiants) {
  std::string bytes = "k/v1\n";
  while (bytes.size() <= kStatementBytesMax) bytes += "a: b\n";
  EXPECT_THAT(Statement::Parse(bytes), StatusIs(kInvalid, HasSubstr("at most")));
  bytes.resize(kStatementBytesMax - kStatementBytesMax % 5);
  EXPECT_OK(Statement::Parse(bytes));
}

TEST(StatementTest, MakesWhatIsAddedReadable) {
  Statement statement("k/v1");
  statement.Add("reason", " two\nlines\r\tand \x1b[31mred\xff ").Add("nothing", " \n ");
  EXPECT_EQ(statement.Bytes(), "k/v1\nreason: two lines  and  [31mred?\nnothing:\n");
  ASSERT_OK_AND_ASSIGN(const Statement back, Statement::Parse(statement.Bytes()));
  EXPECT_EQ(back.fields(), statement.fields());
}

// A value cannot smuggle in a line of its own.
TEST(StatementTest, NeverLetsAValueBecomeAKey) {
  Statement statement("k/v1");
  statement.Add("reason", "fine\nzone: trust_core");
  ASSERT_OK_AND_ASSIGN(const Statement back, Statement::Parse(statement.Bytes()));
  EXPECT_THAT(back.All("zone"), ElementsAre());
}

TEST(PlainText, IsPassedThroughInEveryScript) {
  const std::string text = "Hôpital Σ 病院 🏥 ~";
  EXPECT_EQ(FindUnplain(text), std::string_view::npos);
  EXPECT_EQ(MakePlain(text), text);
}

TEST(PlainText, IsWhatMakePlainGivesForAnyBytes) {
  AnyBytes bytes;
  for (int round = 0; round < 2000; ++round) {
    EXPECT_EQ(FindUnplain(MakePlain(bytes.Next(12))), std::string_view::npos);
  }
}

}  // namespace
}  // namespace reprise::crypto
