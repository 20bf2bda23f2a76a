#include "core/model/keyring.h"

#include "absl/strings/str_replace.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/model/site.h"

namespace reprise::model {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kNoon;
using testing::Site;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
constexpr auto kNotNow = absl::StatusCode::kFailedPrecondition;
constexpr auto kRefused = absl::StatusCode::kUnauthenticated;

TEST(KeyringTest, IsFoundedByAnAdminThatItNames) {
  Site site;
  const auto first = site.First();
  const std::string fingerprint = ToHex(crypto::Sha256(first.statement()));
  ASSERT_OK_AND_ASSIGN(const Keyring keyring, Keyring::Found(first, fingerprint));
  EXPECT_EQ(keyring.version(), 1u);
  EXPECT_EQ(keyring.fingerprint(), fingerprint);
  EXPECT_EQ(keyring.head(), fingerprint);
  EXPECT_EQ(keyring.operators().size(), 5u);
  EXPECT_TRUE(keyring.Find("alice")->Has(v1::ROLE_ADMIN));
  EXPECT_FALSE(keyring.Find("carol")->Has(v1::ROLE_ADMIN));
  EXPECT_EQ(keyring.Find("mallory"), nullptr);
  EXPECT_TRUE(keyring.policy().Protects(v1::ASSET_CLASS_MEDICAL_DEVICE));
  EXPECT_FALSE(keyring.policy().Protects(v1::ASSET_CLASS_WORKSTATION));
}

TEST(KeyringTest, IsNotFoundedByAnybodyElse) {
  Site site;
  EXPECT_THAT(Keyring::Found(site.First({}), ""), StatusIs(kDenied, HasSubstr("active admin")));
  EXPECT_THAT(Keyring::Found(site.First({"bob", "carol"}), ""), StatusIs(kDenied, HasSubstr("active admin")));
  EXPECT_THAT(Keyring::Found(site.First(), std::string(64, '0')), StatusIs(kDenied, HasSubstr("pinned")));
  site.Person("alice").active = false;
  EXPECT_THAT(Keyring::Found(site.First({"alice"}), ""), StatusIs(kDenied, HasSubstr("active admin")));
}

TEST(KeyringTest, StartsWithVersionOne) {
  Site site;
  const Keyring keyring = site.Found();
  const auto second = site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"alice"});
  EXPECT_THAT(Keyring::Found(second, ""), StatusIs(kNotNow, HasSubstr("starts with version 1")));
}

TEST(KeyringTest, DoesNotReadWhatWasChangedAfterSigning) {
  Site site;
  auto first = site.First();
  *first.mutable_statement() =
      absl::StrReplaceAll(first.statement(), {{"policy.destroy-signatures: 2", "policy.destroy-signatures: 1"}});
  EXPECT_THAT(Keyring::Found(first, ""), StatusIs(kRefused, HasSubstr("alice")));
}

TEST(KeyringTest, GrowsByWhatAnAdminSigns) {
  Site site;
  Keyring keyring = site.Found();
  const std::string fingerprint = keyring.fingerprint();
  site.Add("frank", {v1::ROLE_OPERATOR});
  ASSERT_OK(keyring.Extend(site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"alice"})));
  EXPECT_EQ(keyring.version(), 2u);
  EXPECT_EQ(keyring.fingerprint(), fingerprint) << "the anchor stays";
  EXPECT_NE(keyring.head(), fingerprint);
  EXPECT_NE(keyring.Find("frank"), nullptr);
}

TEST(KeyringTest, RefusesAForkARollbackAndAGap) {
  Site site;
  Keyring keyring = site.Found();
  const Keyring before = keyring;
  const auto second = site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"alice"});
  const auto other_second = site.Sign(keyring.Next(site.operators, site.policy, kNoon + 1000), {"alice"});
  ASSERT_OK(keyring.Extend(second));
  EXPECT_THAT(keyring.Extend(second), StatusIs(kNotNow, HasSubstr("does not follow")));
  EXPECT_THAT(keyring.Extend(other_second), StatusIs(kNotNow, HasSubstr("does not follow")));
  EXPECT_THAT(keyring.Extend(site.First()), StatusIs(kNotNow, HasSubstr("does not follow")));

  Keyring fork = before;
  ASSERT_OK(fork.Extend(other_second));
  const auto third_of_fork = site.Sign(fork.Next(site.operators, site.policy, kNoon), {"alice"});
  EXPECT_THAT(keyring.Extend(third_of_fork), StatusIs(kNotNow, HasSubstr("forked")));
  Keyring behind = before;
  EXPECT_THAT(behind.Extend(third_of_fork), StatusIs(kNotNow, HasSubstr("does not follow")));
  EXPECT_EQ(behind.head(), before.head());
}

TEST(KeyringTest, LetsNobodyPromoteHimself) {
  Site site;
  Keyring keyring = site.Found();
  const std::string head = keyring.head();
  site.Person("bob").roles = {v1::ROLE_ADMIN};
  EXPECT_THAT(keyring.Extend(site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"bob", "carol"})),
              StatusIs(kDenied, HasSubstr("has 0")));
  site.Add("mallory", {v1::ROLE_ADMIN});
  EXPECT_THAT(keyring.Extend(site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"mallory"})),
              StatusIs(kDenied, _));
  EXPECT_EQ(keyring.head(), head) << "a refused version leaves no trace";
  EXPECT_EQ(keyring.Find("mallory"), nullptr);
}

TEST(KeyringTest, AsksForAsManyAdminsAsThePresentVersionSays) {
  Site site;
  site.policy.keyring_signatures = 2;
  Keyring keyring = site.Found();
  site.policy.keyring_signatures = 1;
  const crypto::Statement next = keyring.Next(site.operators, site.policy, kNoon);
  EXPECT_THAT(keyring.Extend(site.Sign(next, {"alice"})), StatusIs(kDenied, HasSubstr("has 1 (alice)")));
  EXPECT_THAT(keyring.Extend(site.Sign(next, {"alice", "alice"})), StatusIs(kDenied, HasSubstr("has 1 (alice)")));
  EXPECT_THAT(keyring.Extend(site.Sign(next, {"alice", "bob"})), StatusIs(kDenied, HasSubstr("has 1 (alice)")));
  EXPECT_OK(keyring.Extend(site.Sign(next, {"alice", "erin"})));
}

TEST(KeyringTest, TakesNothingFromARevokedKey) {
  Site site;
  Keyring keyring = site.Found();
  site.Person("erin").active = false;
  ASSERT_OK(keyring.Extend(site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"alice"})));
  const auto next = keyring.Next(site.operators, site.policy, kNoon);
  EXPECT_THAT(*keyring.Signers(site.Sign(next, {"erin"})), IsEmpty());
  EXPECT_THAT(keyring.Extend(site.Sign(next, {"erin"})), StatusIs(kDenied, HasSubstr("has 0")));
}

TEST(KeyringTest, NeverTakesAKeyBackThatWasRevokedOrReplaced) {
  Site site;
  Keyring keyring = site.Found();
  site.Person("carol").active = false;
  ASSERT_OK(keyring.Extend(site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"alice"})));
  site.Person("carol").active = true;
  EXPECT_THAT(keyring.Extend(site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"alice"})),
              StatusIs(kInvalid, HasSubstr("carol")));

  // A new key is welcome, and then the old one is gone for ever, under any name.
  const crypto::PublicKey old_key = site.Person("carol").key;
  site.keys.insert_or_assign("carol", crypto::SecretKey::Generate());
  site.Person("carol").key = site.keys.at("carol").Public();
  ASSERT_OK(keyring.Extend(site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"alice"})));
  site.operators.push_back({"carla", {v1::ROLE_APPROVER}, old_key, true});
  EXPECT_THAT(keyring.Extend(site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"alice"})),
              StatusIs(kInvalid, HasSubstr("carla")));
}

TEST(KeyringTest, NeverForgetsAName) {
  Site site;
  Keyring keyring = site.Found();
  site.operators.pop_back();
  EXPECT_THAT(keyring.Extend(site.Sign(keyring.Next(site.operators, site.policy, kNoon), {"alice"})),
              StatusIs(kInvalid, HasSubstr("lost operator erin")));
}

TEST(KeyringTest, GivesTwoPeopleTwoKeys) {
  Site site;
  site.operators.push_back({"mallory", {v1::ROLE_APPROVER}, site.keys.at("bob").Public(), true});
  EXPECT_THAT(Keyring::Found(site.First(), ""), StatusIs(kInvalid, HasSubstr("bob and mallory have the same key")));
}

// The id in front of a minisign key is free to choose: the key itself decides whether two are one.
TEST(KeyringTest, SeesTheSameKeyUnderAnotherId) {
  Site site;
  std::string bytes = *FromBase64(site.keys.at("bob").Public().Base64());
  bytes[5] = static_cast<char>(bytes[5] ^ 1);
  site.operators.push_back({"mallory", {v1::ROLE_APPROVER}, *crypto::PublicKey::Parse(ToBase64(bytes)), true});
  EXPECT_THAT(Keyring::Found(site.First(), ""), StatusIs(kInvalid, HasSubstr("the same key")));
}

TEST(KeyringTest, RefusesTwoKeysThatShareAnId) {
  Site site;
  std::string bytes = *FromBase64(site.keys.at("bob").Public().Base64());
  const std::string other = *FromBase64(crypto::SecretKey::Generate().Public().Base64());
  bytes.replace(10, 32, other.substr(10));
  site.operators.push_back({"mallory", {v1::ROLE_APPROVER}, *crypto::PublicKey::Parse(ToBase64(bytes)), true});
  EXPECT_THAT(Keyring::Found(site.First(), ""), StatusIs(kInvalid, HasSubstr("the same key")));
}

TEST(KeyringTest, RefusesPoliciesThatLockOutOrLetThrough) {
  const auto found = [](auto change) {
    Site site;
    change(site);
    return Keyring::Found(site.First(), "").status();
  };
  EXPECT_THAT(found([](Site& s) { s.policy.change_signatures = 0; }), StatusIs(kInvalid, HasSubstr("from 1 to")));
  EXPECT_THAT(found([](Site& s) { s.policy.destroy_signatures = 17; }), StatusIs(kInvalid, HasSubstr("from 1 to")));
  EXPECT_THAT(found([](Site& s) { s.policy.change_signatures = 3; }), StatusIs(kInvalid, HasSubstr("fewer")));
  EXPECT_THAT(found([](Site& s) { s.policy.keyring_signatures = 3; }), StatusIs(kInvalid, HasSubstr("nobody could")));
  EXPECT_THAT(found([](Site& s) { s.policy.keyring_signatures = 2, s.Person("erin").active = false; }),
              StatusIs(kInvalid, HasSubstr("1 active admin")));
  EXPECT_THAT(found([](Site& s) { s.Person("bob").roles.clear(); }), StatusIs(kInvalid, HasSubstr("\"bob\"")));
  EXPECT_THAT(found([](Site& s) { s.Person("bob").name = "alice"; }), StatusIs(kInvalid, HasSubstr("twice")));
  EXPECT_THAT(found([](Site& s) { s.Person("bob").name = "Bob"; }), StatusIs(kInvalid, HasSubstr("not a name")));
}

TEST(KeyringTest, HasOneTextWhateverTheOrderOfItsPeople) {
  Site site;
  const std::string bytes = Keyring::First(site.operators, site.policy, kNoon).Bytes();
  std::reverse(site.operators.begin(), site.operators.end());
  for (auto& person : site.operators) std::reverse(person.roles.begin(), person.roles.end());
  EXPECT_EQ(Keyring::First(site.operators, site.policy, kNoon).Bytes(), bytes);
  const std::string doubled = absl::StrReplaceAll(bytes, {{"operator: dave viewer", "operator: dave viewer,viewer"}});
  EXPECT_THAT(Keyring::Found(site.SignBytes(doubled, {"alice"}), ""), StatusIs(kInvalid, HasSubstr("exact form")));
}

TEST(SignersTest, CountEachPersonOnceInTheOrderOfSigning) {
  Site site;
  const Keyring keyring = site.Found();
  EXPECT_THAT(*keyring.Signers(site.SignBytes("text", {"carol", "alice", "carol", "bob"})),
              ElementsAre("carol", "alice", "bob"));
}

TEST(SignersTest, PassOverStrangers) {
  Site site;
  const Keyring keyring = site.Found();
  site.Add("mallory", {v1::ROLE_ADMIN});
  EXPECT_THAT(*keyring.Signers(site.SignBytes("text", {"mallory", "bob"})), ElementsAre("bob"));
}

TEST(SignersTest, AreNotReadFromWrongSignatures) {
  Site site;
  const Keyring keyring = site.Found();
  auto text = site.SignBytes("text", {"bob"});
  text.set_statement("other text");
  EXPECT_THAT(keyring.Signers(text), StatusIs(kRefused, HasSubstr("operator bob")));
  text.mutable_signatures(0)->set_minisig("hello");
  EXPECT_THAT(keyring.Signers(text), StatusIs(kRefused, HasSubstr("not a minisign signature")));
  auto many = site.SignBytes("text", {"bob"});
  for (int i = 0; i < 64; ++i) *many.add_signatures() = many.signatures(0);
  EXPECT_THAT(keyring.Signers(many), StatusIs(kRefused, HasSubstr("at most 64")));
}

TEST(SigningPolicyTest, AsksForMoreWhereMoreIsAtStake) {
  const SigningPolicy policy;
  EXPECT_EQ(policy.SignaturesFor(v1::EFFECT_READ), 0u);
  EXPECT_EQ(policy.SignaturesFor(v1::EFFECT_CHANGE), 1u);
  EXPECT_EQ(policy.SignaturesFor(v1::EFFECT_DESTROY), 2u);
  EXPECT_EQ(policy.SignaturesFor(v1::EFFECT_UNSPECIFIED), 2u);
}

}  // namespace
}  // namespace reprise::model
