#include "core/base/text.h"

#include "tests/support/status_matchers.h"

namespace reprise {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::HasSubstr;

TEST(Hex, ReadsBackWhatItWrites) {
  const std::string bytes("\x00\x7f\x80\xff", 4);
  EXPECT_EQ(ToHex(bytes), "007f80ff");
  ASSERT_OK_AND_ASSIGN(const std::string back, FromHex("007F80ff"));
  EXPECT_EQ(back, bytes);
}

TEST(Hex, RefusesOddLengthsAndOtherDigits) {
  EXPECT_THAT(FromHex("abc"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("odd")));
  EXPECT_THAT(FromHex("0g"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0-9")));
  EXPECT_OK(FromHex(""));
}

TEST(Base64, ReadsBackWhatItWrites) {
  for (const std::string bytes : {"", "a", "ab", "abc", "\xff\xfe\xfd"}) {
    ASSERT_OK_AND_ASSIGN(const std::string back, FromBase64(ToBase64(bytes)));
    EXPECT_EQ(back, bytes);
  }
  EXPECT_THAT(FromBase64("a*b="), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("base64")));
}

TEST(Time, ReadsBackWhatItWrites) {
  constexpr UnixMs kTime = 1'790'000'000'000;
  EXPECT_EQ(FormatTime(kTime), "2026-09-21T14:13:20Z");
  ASSERT_OK_AND_ASSIGN(const UnixMs back, ParseTime("2026-09-21T14:13:20Z"));
  EXPECT_EQ(back, kTime);
}

TEST(Time, RefusesOtherFormsAndTimesWithoutEnd) {
  for (const char* text : {"", " 2026-09-21T14:13:20Z", "2026-09-21T14:13:20", "2026-09-21", "yesterday",
                           "infinite-future", "-infinite", "2026-13-21T14:13:20Z"}) {
    EXPECT_THAT(ParseTime(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a time like"))) << text;
  }
}

TEST(Duration, ReadsSumsOfUnits) {
  const std::pair<const char*, int64_t> cases[] = {
      {"500ms", 500},      {"90s", 90'000},      {"15m", 900'000},  {"24h", 86'400'000},
      {"7d", 604'800'000}, {"1h30m", 5'400'000}, {"1m1ms", 60'001}, {"0s", 0}};
  for (const auto& [text, ms] : cases) {
    ASSERT_OK_AND_ASSIGN(const int64_t read, ParseDurationMs(text));
    EXPECT_EQ(read, ms) << text;
  }
}

TEST(Duration, RefusesWhatIsNotOne) {
  for (const char* text : {"", "5", "s", "-5s", "5 s", "5x", "1.5h", "99999999999999999999d", "9223372036854775807d"}) {
    EXPECT_THAT(ParseDurationMs(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("duration"))) << text;
  }
}

TEST(Duration, WritesAFormThatReadsBackExactly) {
  for (const int64_t ms :
       {int64_t{0}, int64_t{1}, int64_t{999}, int64_t{1000}, int64_t{90'061'001}, int64_t{86'400'000}}) {
    ASSERT_OK_AND_ASSIGN(const int64_t back, ParseDurationMs(FormatDurationMs(ms)));
    EXPECT_EQ(back, ms);
  }
  EXPECT_EQ(FormatDurationMs(5'400'000), "1h30m");
}

TEST(NearestName, ProposesALikelySlipAndNothingFarOff) {
  const std::vector<std::string> names = {"workstation", "server", "printer"};
  EXPECT_EQ(NearestName("workstaton", names), "workstation");
  EXPECT_EQ(NearestName("sever", names), "server");
  EXPECT_EQ(NearestName("telephony", names), "");
  EXPECT_EQ(NearestName("x", {}), "");
}

TEST(BoundedText, CutsNoLetterInTwo) {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";  // Letters of 1, 2, 3 and 4 bytes.
  const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (size_t max = 0; max < std::size(whole); ++max) EXPECT_EQ(BoundedText(text, max), text.substr(0, whole[max])) << max;
}

TEST(BoundedText, PutsAMarkInThePlaceOfEveryStrayByteWithinTheSameBound) {
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(BoundedText("a\xFF\xC3", 100), "a" + mark + mark);
  EXPECT_EQ(BoundedText("\xC0\xAF", 100), mark + mark) << "a longer form than needed";
  EXPECT_EQ(BoundedText("\xED\xA0\x80", 100), mark + mark + mark) << "half of a pair";
  EXPECT_EQ(BoundedText("\xF5\x80\x80\x80 ", 100), mark + mark + mark + mark + " ");
  EXPECT_EQ(BoundedText("a\xFF", 3), "a");
  EXPECT_EQ(BoundedText("", 3), "");
}

}  // namespace
}  // namespace reprise
