#include "core/cli/commands/declarations.h"
#include "core/cli/keyring_chain.h"
#include "core/cli/signing.h"
#include "core/trust/certificate.h"
#include "tests/unit/core/cli/fakes.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<CommandRow> KeyRows() {
  return {{"key", "new", "", DeclareKeyNew},       {"key", "ls", "", DeclareKeyLs},
          {"key", "add", "", DeclareKeyAdd},       {"key", "revoke", "", DeclareKeyRevoke},
          {"key", "sign", "", DeclareKeySign},     {"key", "certify", "", DeclareKeyCertify}};
}

// The chain grows as the coordinator would let it.
struct KeyDesk : Desk {
  explicit KeyDesk(const std::string& person = "alice") : Desk(KeyRows(), person) {
    for (const auto& statement : people.chain()) *chain.add_chain() = statement;
    Tell();
    coordinator.On<ops::ExtendKeyringRequest, ops::KeyringView>(
        "ExtendKeyring", [this](const ops::ExtendKeyringRequest& request) -> absl::StatusOr<ops::KeyringView> {
          model::Keyring longer = Keyring();
          if (absl::Status status = longer.Extend(request.statement()); !status.ok()) return status;
          *chain.add_chain() = request.statement();
          Tell();
          return chain;
        });
    coordinator.On<ops::CertifyOperatorRequest, ops::CertifyOperatorResponse>(
        "CertifyOperator",
        [this](const ops::CertifyOperatorRequest& request) -> absl::StatusOr<ops::CertifyOperatorResponse> {
          auto certificate = authority.IssueOperator(request.csr_pem(), request.operator_(), clock.Now());
          if (!certificate.ok()) return certificate.status();
          ops::CertifyOperatorResponse response;
          response.set_certificate_pem(*certificate);
          response.set_ca_pem(authority.certificate());
          return response;
        });
  }
  void Tell() {
    chain.set_version(static_cast<uint32_t>(chain.chain_size()));
    coordinator.Answer("GetKeyring", chain);
  }
  model::Keyring Keyring() const { return *FoldKeyring(chain, profile.keyring_fingerprint); }
  // A profile of another person of People, with that person's key.
  std::string ProfileOf(const std::string& person) {
    Profile other = profile;
    other.folder = scratch / person;
    other.operator_name = person;
    other.key_pem = *trust::NewKey();
    other.certificate_pem = *authority.IssueOperator(*trust::NewRequest(other.key_pem, person), person, kNoon);
    EXPECT_OK(SaveProfile(other));
    EXPECT_OK(WriteFileDurably(other.SigningKey(), *people.key(person).File(""), 0600));
    return other.folder.string();
  }

  ops::KeyringView chain;
};

TEST(KeyNew, MakesAKeyThatMinisignsFormatReadsBackWithThePassword) {
  KeyDesk desk;
  desk.terminal.secrets = {"correct horse", "correct horse"};
  const std::string file = (desk.scratch / "bob.key").string();
  ASSERT_EQ(desk.Run({"key", "new", file}), kExitOk) << desk.Err();
  const std::string text = *ReadFile(file);
  EXPECT_EQ(crypto::SecretKey::Parse(text, "wrong").status().code(), absl::StatusCode::kUnauthenticated);
  ASSERT_OK_AND_ASSIGN(const crypto::SecretKey key, crypto::SecretKey::Parse(text, "correct horse"));
  ASSERT_OK_AND_ASSIGN(const crypto::PublicKey pub, crypto::PublicKey::Parse(*ReadFile(desk.scratch / "bob.pub")));
  EXPECT_EQ(pub.Base64(), key.Public().Base64());
  EXPECT_THAT(desk.Out(), HasSubstr(pub.Base64()));
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(KeyNew, NeverWritesOverAKey) {
  KeyDesk desk;
  const std::string before = *ReadFile(desk.profile.SigningKey());
  EXPECT_EQ(desk.Run({"key", "new", "--no-password"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("no key is ever written over"));
  EXPECT_EQ(*ReadFile(desk.profile.SigningKey()), before);
}

TEST(KeyNew, MakesNothingWhenTheTwoPasswordsDiffer) {
  KeyDesk desk;
  desk.terminal.secrets = {"one", "other"};
  const std::filesystem::path file = desk.scratch / "bob.key";
  EXPECT_EQ(desk.Run({"key", "new", file.string()}), kExitFailure);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(KeyLs, ShowsWhoMaySignWhatAndThePolicy) {
  KeyDesk desk;
  ASSERT_EQ(desk.Run({"key", "ls"}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("alice (you)"), HasSubstr("admin,approver,operator"),
                                HasSubstr("1 to change, 2 to destroy"), HasSubstr(desk.profile.keyring_fingerprint),
                                HasSubstr("medical_device, monitoring_station")));
  ASSERT_EQ(desk.Run({"-o", "json", "key", "ls"}), kExitOk);
  const Json json = desk.OutJson();
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["policy"]["destroy_signatures"], 2);
  EXPECT_EQ(json["operators"][1]["name"], "bob");
  EXPECT_EQ(json["operators"][1]["roles"], Json({"approver", "operator"}));
  EXPECT_EQ(json["operators"][1]["key_id"], desk.people.key("bob").Public().KeyId());
}

TEST(KeyLs, RefusesAKeyringThatIsNotThePinnedOne) {
  KeyDesk desk;
  const People others;
  ops::KeyringView view;
  *view.add_chain() = others.chain().front();
  desk.coordinator.Answer("GetKeyring", view);
  EXPECT_EQ(desk.Run({"key", "ls"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("Do not sign anything"));
  EXPECT_EQ(desk.Out(), "");
}

TEST(KeyAdd, PutsAPersonIntoTheKeyringWithOneAdminsSignature) {
  KeyDesk desk;
  const crypto::SecretKey key = crypto::SecretKey::Generate();
  ASSERT_EQ(desk.Run({"-y", "key", "add", "dave", "--public", key.Public().Base64(), "--roles", "operator,viewer"}),
            kExitOk)
      << desk.Err();
  const model::Keyring keyring = desk.Keyring();
  EXPECT_EQ(keyring.version(), 2);
  ASSERT_NE(keyring.Find("dave"), nullptr);
  EXPECT_TRUE(keyring.Find("dave")->Has(model::v1::ROLE_VIEWER));
  EXPECT_EQ(keyring.Find("dave")->key.Base64(), key.Public().Base64());
  EXPECT_NE(keyring.Find("carol"), nullptr);
  EXPECT_THAT(desk.Err(), HasSubstr("+ operator: dave operator,viewer"));
  EXPECT_THAT(desk.Err(), Not(HasSubstr("carol")));
  EXPECT_THAT(desk.Out(), HasSubstr("Keyring version 2 is in force."));
}

TEST(KeyAdd, ReadsThePublicKeyFromAFileToo) {
  KeyDesk desk;
  const crypto::PublicKey key = crypto::SecretKey::Generate().Public();
  ASSERT_OK(WriteFileDurably(desk.scratch / "dave.pub", key.File("dave's")));
  ASSERT_EQ(desk.Run({"-y", "key", "add", "dave", "--public", (desk.scratch / "dave.pub").string(), "--roles", "viewer"}),
            kExitOk)
      << desk.Err();
  EXPECT_EQ(desk.Keyring().Find("dave")->key.Base64(), key.Base64());
}

TEST(KeyAdd, SignsNothingWithoutAYes) {
  KeyDesk desk;
  desk.terminal.answers = {"n"};
  EXPECT_EQ(desk.Run({"key", "add", "bob", "--roles", "viewer"}), kExitFailure);
  EXPECT_EQ(desk.Keyring().version(), 1);
  EXPECT_THAT(desk.Err(), HasSubstr("nothing was done"));
  // Nobody to ask is no yes.
  EXPECT_EQ(desk.Run({"key", "add", "bob", "--roles", "viewer"}), kExitFailure);
  EXPECT_EQ(desk.Keyring().version(), 1);
}

TEST(KeyAdd, ChangesRolesAndKeepsTheKey) {
  KeyDesk desk;
  ASSERT_EQ(desk.Run({"-y", "key", "add", "bob", "--roles", "viewer"}), kExitOk) << desk.Err();
  const model::Keyring keyring = desk.Keyring();
  const model::Operator& bob = *keyring.Find("bob");
  EXPECT_FALSE(bob.Has(model::v1::ROLE_APPROVER));
  EXPECT_EQ(bob.key.Base64(), desk.people.key("bob").Public().Base64());
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("- operator: bob approver,operator"), HasSubstr("+ operator: bob viewer")));
}

TEST(KeyAdd, NamesTheNearestRole) {
  KeyDesk desk;
  EXPECT_EQ(desk.Run({"-y", "key", "add", "bob", "--roles", "aprover"}), kExitUsage);
  EXPECT_THAT(desk.Err(), HasSubstr("did you mean approver?"));
}

TEST(KeyAdd, IsAnAdminsMatter) {
  KeyDesk desk("bob");
  EXPECT_EQ(desk.Run({"-y", "key", "add", "carol", "--roles", "viewer"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("which bob is not"));
  EXPECT_THAT(desk.coordinator.Methods(), ElementsAre("GetKeyring"));
}

TEST(KeyAdd, RefusesToSignWithAKeyThatIsNotTheKeyrings) {
  KeyDesk desk;
  ASSERT_OK(WriteFileDurably(desk.profile.SigningKey(), *crypto::SecretKey::Generate().File(""), 0600));
  EXPECT_EQ(desk.Run({"-y", "key", "add", "bob", "--roles", "viewer"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("is not the one that the keyring has for alice"));
}

TEST(KeyAdd, MakesACompleteProfileForTheNewPerson) {
  KeyDesk desk;
  const std::filesystem::path folder = desk.scratch / "dave";
  ASSERT_EQ(desk.Run({"-y", "key", "add", "dave", "--roles", "operator", "--new-profile", folder.string(),
                      "--no-password"}),
            kExitOk)
      << desk.Err();
  ASSERT_OK_AND_ASSIGN(const Profile made, LoadProfile(folder, kNoon));
  EXPECT_EQ(made.operator_name, "dave");
  EXPECT_EQ(made.coordinator, desk.profile.coordinator);
  EXPECT_EQ(made.keyring_fingerprint, desk.profile.keyring_fingerprint);
  EXPECT_OK(trust::CheckKeyBelongs(made.key_pem, made.certificate_pem));
  EXPECT_NE(made.key_pem, desk.profile.key_pem);
  ASSERT_OK_AND_ASSIGN(const crypto::SecretKey key, crypto::SecretKey::Parse(*ReadFile(made.SigningKey()), ""));
  EXPECT_EQ(desk.Keyring().Find("dave")->key.Base64(), key.Public().Base64());
}

TEST(KeyAdd, MakesNoNewProfileOverAnotherPersons) {
  KeyDesk desk;
  EXPECT_EQ(desk.Run({"-y", "key", "add", "dave", "--roles", "viewer", "--new-profile", desk.profile.folder.string()}),
            kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("is of alice; name a new folder for dave"));
  EXPECT_EQ(desk.Keyring().version(), 1);
}

TEST(KeyAdd, RefusesAKeyThatWasRevokedBefore) {
  KeyDesk desk;
  ASSERT_EQ(desk.Run({"-y", "key", "revoke", "bob"}), kExitOk) << desk.Err();
  EXPECT_EQ(desk.Run({"-y", "key", "add", "bob", "--roles", "viewer"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("never comes back"));
  const std::string old_key = desk.people.key("bob").Public().Base64();
  EXPECT_EQ(desk.Run({"-y", "key", "add", "bob", "--public", old_key}), kExitFailure);
  EXPECT_EQ(desk.Keyring().version(), 2);
}

TEST(KeyRevoke, RevokesAndNamesTheNearestPerson) {
  KeyDesk desk;
  EXPECT_EQ(desk.Run({"-y", "key", "revoke", "bib"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("did you mean bob?"));
  ASSERT_EQ(desk.Run({"-y", "key", "revoke", "bob"}), kExitOk) << desk.Err();
  EXPECT_FALSE(desk.Keyring().Find("bob")->active);
  EXPECT_EQ(desk.Run({"-y", "key", "revoke", "bob"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("revoked already"));
}

TEST(KeyRevoke, DoesNotLockEverybodyOut) {
  KeyDesk desk;
  EXPECT_EQ(desk.Run({"-y", "key", "revoke", "alice"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("nobody could change it any more"));
  EXPECT_EQ(desk.Keyring().version(), 1);
}

TEST(KeySign, PutsAChangeInForceOnceAsManyAdminsSignedAsThePolicyAsks) {
  KeyDesk desk;
  ASSERT_EQ(desk.Run({"-y", "key", "add", "bob", "--roles", "admin,approver", "--keyring-signatures", "2"}), kExitOk)
      << desk.Err();
  const std::string file = (desk.scratch / "change").string();
  ASSERT_EQ(desk.Run({"-y", "-o", "json", "key", "revoke", "carol", "--file", file}), kExitPartial) << desk.Err();
  EXPECT_EQ(desk.OutJson()["in_force"], false);
  EXPECT_EQ(desk.OutJson()["file"], file);
  EXPECT_EQ(desk.Keyring().version(), 2);
  // The same person twice is one.
  EXPECT_EQ(desk.Run({"-y", "key", "sign", file}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("has signed this already"));
  desk.profile.folder = desk.ProfileOf("bob");
  ASSERT_EQ(desk.Run({"-y", "key", "sign", file}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Err(), HasSubstr("- operator: carol approver"));
  EXPECT_EQ(desk.Keyring().version(), 3);
  EXPECT_FALSE(desk.Keyring().Find("carol")->active);
}

TEST(KeySign, RefusesAChangeMadeUponAnOlderKeyring) {
  KeyDesk desk;
  ASSERT_EQ(desk.Run({"-y", "key", "add", "bob", "--roles", "admin", "--keyring-signatures", "2"}), kExitOk);
  const std::string file = (desk.scratch / "change").string();
  ASSERT_EQ(desk.Run({"-y", "key", "revoke", "carol", "--file", file}), kExitPartial);
  const std::string other = (desk.scratch / "other").string();
  ASSERT_EQ(desk.Run({"-y", "key", "add", "carol", "--roles", "viewer", "--file", other}), kExitPartial);
  desk.profile.folder = desk.ProfileOf("bob");
  ASSERT_EQ(desk.Run({"-y", "key", "sign", other}), kExitOk) << desk.Err();
  EXPECT_EQ(desk.Run({"-y", "key", "sign", file}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("make the change anew upon the newest keyring"));
}

TEST(KeySign, SignsNothingThatIsNotAKeyring) {
  KeyDesk desk;
  crypto::Statement gate("reprise-gate/v1");
  gate.Add("plan", "edr-1");
  plan::v1::SignedStatement statement;
  statement.set_statement(gate.Bytes());
  ASSERT_OK(WriteFileDurably(desk.scratch / "gate", WriteSignedFile(statement)));
  EXPECT_EQ(desk.Run({"-y", "key", "sign", (desk.scratch / "gate").string()}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("not a change of the keyring"));
}

TEST(KeyCertify, RenewsTheOwnCertificateAndKeepsTheKey) {
  KeyDesk desk;
  desk.clock.Advance(20 * 24 * kHour);
  ASSERT_EQ(desk.Run({"key", "certify", "alice"}), kExitOk) << desk.Err();
  ASSERT_OK_AND_ASSIGN(const Profile renewed, LoadProfile(desk.profile.folder, desk.clock.Now()));
  EXPECT_EQ(renewed.key_pem, desk.profile.key_pem);
  ASSERT_OK_AND_ASSIGN(const auto certificate, trust::ReadCertificate(renewed.certificate_pem));
  EXPECT_EQ(certificate.not_after, desk.clock.Now() + trust::kOperatorCertificateLife);
}

TEST(KeyCertify, NeverGivesOnePersonsProfileToAnother) {
  KeyDesk desk;
  const std::string bob = desk.ProfileOf("bob");
  EXPECT_EQ(desk.Run({"key", "certify", "carol", "--update", bob}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("is of bob, not of carol"));
  EXPECT_EQ(LoadProfile(bob, kNoon)->operator_name, "bob");
}

TEST(KeyCertify, CertifiesARequestFromElsewhere) {
  KeyDesk desk;
  const std::string key = *trust::NewKey();
  ASSERT_OK(WriteFileDurably(desk.scratch / "bob.csr", *trust::NewRequest(key, "bob")));
  ASSERT_EQ(desk.Run({"key", "certify", "bob", "--csr", (desk.scratch / "bob.csr").string()}), kExitOk) << desk.Err();
  EXPECT_OK(trust::CheckKeyBelongs(key, desk.Out()));
  EXPECT_EQ(desk.Run({"key", "certify", "bob"}), kExitUsage);
}

}  // namespace
}  // namespace reprise::cli::testing
