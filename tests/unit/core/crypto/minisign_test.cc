#include "core/crypto/minisign.h"

#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/text.h"
#include "tests/support/status_matchers.h"

namespace reprise::crypto {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kRefused = absl::StatusCode::kUnauthenticated;

std::vector<std::string> Split(const std::string& text) {
  return absl::StrSplit(text, '\n');
}
std::string Join(const std::vector<std::string>& lines) {
  return absl::StrJoin(lines, "\n");
}

// `text` with one byte of the base64 in its line changed.
std::string Flip(const std::string& text, size_t line, size_t byte) {
  auto lines = Split(text);
  std::string bytes = *FromBase64(lines[line]);
  bytes[byte] = static_cast<char>(bytes[byte] ^ 1);
  lines[line] = ToBase64(bytes);
  return Join(lines);
}

TEST(Minisign, VerifiesWhatItSigned) {
  const SecretKey key = SecretKey::Generate();
  for (const std::string& message : {std::string(), std::string("plan"), std::string(1'000'000, '\0')}) {
    EXPECT_OK(key.Public().Verify(message, key.Sign(message, "by alice")));
  }
}

TEST(Minisign, RefusesAnotherMessageAndAnotherKey) {
  const SecretKey alice = SecretKey::Generate();
  const SecretKey bob = SecretKey::Generate();
  const std::string signature = alice.Sign("plan", "");
  EXPECT_THAT(alice.Public().Verify("plan ", signature), StatusIs(kRefused, HasSubstr("not over these bytes")));
  EXPECT_THAT(bob.Public().Verify("plan", signature), StatusIs(kRefused, HasSubstr("made by key")));
}

TEST(Minisign, RefusesEveryFlippedByteOfASignature) {
  const SecretKey key = SecretKey::Generate();
  const std::string signature = key.Sign("plan", "by alice");
  for (size_t byte = 0; byte < 74; ++byte) {
    EXPECT_FALSE(key.Public().Verify("plan", Flip(signature, 1, byte)).ok()) << byte;
  }
  for (size_t byte = 0; byte < 64; ++byte) {
    EXPECT_THAT(key.Public().Verify("plan", Flip(signature, 3, byte)),
                StatusIs(kRefused, HasSubstr("trusted comment")));
  }
}

TEST(Minisign, RefusesAnAlteredTrustedComment) {
  const SecretKey key = SecretKey::Generate();
  auto lines = Split(key.Sign("plan", "approved for ws-001"));
  lines[2] = "trusted comment: approved for ws-002";
  EXPECT_THAT(key.Public().Verify("plan", Join(lines)), StatusIs(kRefused, HasSubstr("trusted comment")));
}

TEST(Minisign, DoesNotMixTwoGoodSignaturesOfOneKey) {
  const SecretKey key = SecretKey::Generate();
  auto one = Split(key.Sign("one", "first"));
  const auto two = Split(key.Sign("two", "second"));
  one[2] = two[2];
  one[3] = two[3];
  EXPECT_THAT(key.Public().Verify("one", Join(one)), StatusIs(kRefused, HasSubstr("trusted comment")));
}

TEST(Minisign, RefusesWhatIsNoSignatureAndSaysWhy) {
  const SecretKey key = SecretKey::Generate();
  const std::string good = key.Sign("plan", "");
  auto lines = Split(good);
  const auto with = [&](size_t line, const std::string& text) {
    auto changed = lines;
    changed[line] = text;
    return Join(changed);
  };
  const std::pair<std::string, const char*> cases[] = {
      {"", "4 lines"},
      {"hello", "4 lines"},
      {good + "more\n", "4 lines"},
      {with(0, "comment"), "line 1"},
      {with(1, "?"), "base64"},
      {with(1, ToBase64(*FromBase64(lines[1]) + "x")), "length"},
      {with(1, " " + lines[1]), "base64"},
      {with(2, "comment"), "line 3"},
      {with(3, "AAAA"), "length"},
      {std::string(20'000, 'x'), "at most"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(key.Public().Verify("plan", text), StatusIs(kInvalid, HasSubstr(message)));
    EXPECT_THAT(SignerKeyId(text), StatusIs(kInvalid, _));
  }
}

TEST(Minisign, RefusesTheLegacyFormInWhichAHashCouldStandForAMessage) {
  const SecretKey key = SecretKey::Generate();
  auto lines = Split(key.Sign("plan", ""));
  std::string bytes = *FromBase64(lines[1]);
  bytes[1] = 'd';
  lines[1] = ToBase64(bytes);
  EXPECT_THAT(key.Public().Verify("plan", Join(lines)), StatusIs(kInvalid, HasSubstr("legacy")));
}

TEST(Minisign, KeepsATrustedCommentOnItsLine) {
  const SecretKey key = SecretKey::Generate();
  const std::string signature = key.Sign("plan", "one\nuntrusted comment: two\r");
  EXPECT_EQ(Split(signature).size(), 5u);  // Four lines and what is after the last LF.
  EXPECT_OK(key.Public().Verify("plan", signature));
}

TEST(Minisign, ReadsAKeyInClearAndGivesTheSameKey) {
  const SecretKey key = SecretKey::Generate();
  ASSERT_OK_AND_ASSIGN(const std::string file, key.File(""));
  ASSERT_OK_AND_ASSIGN(const SecretKey back, SecretKey::Parse(file, ""));
  EXPECT_EQ(back.Public().Base64(), key.Public().Base64());
  EXPECT_OK(key.Public().Verify("plan", back.Sign("plan", "")));
}

TEST(Minisign, OpensAProtectedKeyWithItsPasswordOnly) {
  const SecretKey key = SecretKey::Generate();
  ASSERT_OK_AND_ASSIGN(const std::string file, key.File("très secret"));
  EXPECT_THAT(file, Not(HasSubstr(key.Public().Base64())));
  EXPECT_THAT(SecretKey::Parse(file, ""), StatusIs(kRefused, HasSubstr("none was given")));
  EXPECT_THAT(SecretKey::Parse(file, "tres secret"), StatusIs(kRefused, HasSubstr("wrong password")));
  ASSERT_OK_AND_ASSIGN(const SecretKey back, SecretKey::Parse(file, "très secret"));
  EXPECT_EQ(back.Public().Base64(), key.Public().Base64());
}

TEST(Minisign, RefusesDamagedAndGreedyKeyFiles) {
  const SecretKey key = SecretKey::Generate();
  const std::string file = *key.File("");
  EXPECT_THAT(SecretKey::Parse("", ""), StatusIs(kInvalid, _));
  EXPECT_THAT(SecretKey::Parse(key.Public().File("x"), ""), StatusIs(kInvalid, HasSubstr("bytes")));
  for (const size_t byte : {0u, 2u, 4u, 62u, 93u, 94u, 125u, 126u}) {
    EXPECT_THAT(SecretKey::Parse(Flip(file, 1, byte), ""), StatusIs(kInvalid, _)) << byte;
  }
  auto lines = Split(file);
  std::string bytes = *FromBase64(lines[1]);
  bytes.replace(2, 2, "Sc");
  bytes.replace(38, 16, std::string(16, '\x7f'));
  lines[1] = ToBase64(bytes);
  EXPECT_THAT(SecretKey::Parse(Join(lines), "x"), StatusIs(kInvalid, HasSubstr("more work")));
}

TEST(Minisign, ReadsAPublicKeyAloneOrInItsFile) {
  const PublicKey key = SecretKey::Generate().Public();
  ASSERT_OK_AND_ASSIGN(const PublicKey alone, PublicKey::Parse(key.Base64()));
  ASSERT_OK_AND_ASSIGN(const PublicKey in_file, PublicKey::Parse(key.File("alice\n of HR-1")));
  EXPECT_EQ(alone.Base64(), key.Base64());
  EXPECT_EQ(in_file.Base64(), key.Base64());
  EXPECT_EQ(key.KeyId().size(), 16u);
}

TEST(Minisign, RefusesWhatIsNoPublicKey) {
  const std::string good = SecretKey::Generate().Public().Base64();
  std::string other_algorithm = good;
  other_algorithm[1] = 'X';
  for (const std::string& text : {std::string(), std::string("RWQ"), good + "A", " " + good, "x\n" + good,
                                  good + "\n" + good, good.substr(0, 52), other_algorithm}) {
    EXPECT_THAT(PublicKey::Parse(text), StatusIs(kInvalid, HasSubstr("not a minisign public key"))) << text;
  }
}

TEST(Minisign, NamesTheSignersKey) {
  const SecretKey key = SecretKey::Generate();
  ASSERT_OK_AND_ASSIGN(const std::string id, SignerKeyId(key.Sign("plan", "")));
  EXPECT_EQ(id, key.Public().KeyId());
}

}  // namespace
}  // namespace reprise::crypto
