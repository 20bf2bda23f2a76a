#include "core/trust/join_code.h"

#include <set>

#include "core/crypto/sha256.h"
#include "tests/support/status_matchers.h"

namespace reprise::trust {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

JoinCode Code() {
  SystemRandom random;
  return {"ws-001", NewJoinSecret(random), std::string(64, 'a'), std::string(64, '0')};
}

TEST(JoinCodeTest, ReadsBackWhatItWrites) {
  const JoinCode code = Code();
  ASSERT_OK_AND_ASSIGN(const JoinCode back, JoinCode::Parse(code.Text()));
  EXPECT_EQ(back.Text(), code.Text());
  EXPECT_EQ(back.secret, code.secret);
}

TEST(JoinCodeTest, SaysWhichPartIsWrongAndNeverTheSecret) {
  const JoinCode good = Code();
  const auto with = [&](auto change) {
    JoinCode code = good;
    change(code);
    return code.Text();
  };
  const std::pair<std::string, const char*> cases[] = {
      {"", "1 parts"},
      {good.Text() + ":x", "5 parts"},
      {good.Text().substr(0, 60), "3 parts"},
      {with([](JoinCode& c) { c.host = "WS"; }), "first part"},
      {with([](JoinCode& c) { c.secret.pop_back(); }), "second part"},
      {with([](JoinCode& c) { c.secret[3] = '-'; }), "second part"},
      {with([](JoinCode& c) { c.ca_fingerprint.pop_back(); }), "third part"},
      {with([](JoinCode& c) { c.keyring_fingerprint[0] = 'G'; }), "fourth part"},
      {with([](JoinCode& c) { c.keyring_fingerprint[0] = 'A'; }), "fourth part"},
      {std::string(100'000, ':'), "parts"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(JoinCode::Parse(text), StatusIs(kInvalid, HasSubstr(message)));
    EXPECT_THAT(JoinCode::Parse(text), StatusIs(kInvalid, Not(HasSubstr(good.secret.substr(0, 10)))));
  }
}

TEST(JoinSecretTest, IsFreshUnambiguousAndKeptOnlyAsAHash) {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string secret = NewJoinSecret(random);
    EXPECT_THAT(secret, MatchesRegex("[0-9a-hjkmnp-tv-z]+"));
    EXPECT_EQ(secret.size(), 26u);
    EXPECT_TRUE(seen.insert(secret).second);
  }
  EXPECT_EQ(HashJoinSecret("abc"), crypto::Sha256("abc"));
}

TEST(ConstantTime, ComparesAllBytes) {
  EXPECT_TRUE(EqualInConstantTime("", ""));
  EXPECT_TRUE(EqualInConstantTime(std::string("a\0b", 3), std::string("a\0b", 3)));
  EXPECT_FALSE(EqualInConstantTime(std::string("a\0b", 3), std::string("a\0c", 3)));
  EXPECT_FALSE(EqualInConstantTime("abc", "abcd"));
}

TEST(TokenLifeTest, StaysWithinItsBounds) {
  EXPECT_EQ(*TokenLife(0), kTokenLifeDefault);
  EXPECT_EQ(*TokenLife(kTokenLifeMin), kTokenLifeMin);
  EXPECT_EQ(*TokenLife(kTokenLifeMax), kTokenLifeMax);
  EXPECT_THAT(TokenLife(kTokenLifeMax + 1), StatusIs(kInvalid, HasSubstr("from 1m to 7d")));
  EXPECT_THAT(TokenLife(kTokenLifeMin - 1), StatusIs(kInvalid, HasSubstr("from 1m to 7d")));
  EXPECT_THAT(TokenLife(-1), StatusIs(kInvalid, HasSubstr("from 1m to 7d")));
}

}  // namespace
}  // namespace reprise::trust
