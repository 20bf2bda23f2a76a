// init and key certify --data make what a real coordinator starts from; journal commands read what it wrote.
#include <fstream>

#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/journal/journal_reader.h"
#include "core/journal/sqlite_journal.h"
#include "core/model/keyring.h"
#include "core/trust/certificate.h"
#include "core/trust/coordinator_folder.h"
#include "tests/unit/core/cli/fakes.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct FoundingDesk : Desk {
  FoundingDesk()
      : Desk({{"", "init", "", DeclareInit},
              {"key", "certify", "", DeclareKeyCertify},
              {"journal", "verify", "", DeclareJournalVerify},
              {"journal", "export", "", DeclareJournalExport}}) {
    profile.folder = scratch / "alice";
  }
  std::vector<std::string> Init(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"init",       "--data", Data(),   "--site", "hr1",          "--operator",
                                          "alice",      "--name", "10.77.0.1", "--name", "reprise.hr1", "--no-password"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string Data() const { return (scratch / "site").string(); }
  trust::CoordinatorFolder Folder() const { return trust::CoordinatorFolder(Data()); }
};

// All that is below a folder, with its content.
std::map<std::string, std::string> ContentOf(const std::filesystem::path& folder) {
  std::map<std::string, std::string> content;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) content[entry.path().string()] = *ReadFile(entry.path());
  }
  return content;
}

TEST(Init, MakesAFolderFromWhichACoordinatorStarts) {
  FoundingDesk desk;
  ASSERT_EQ(desk.Run(desk.Init({"--destroy-signatures", "3"})), kExitOk) << desk.Err();
  const auto folder = desk.Folder();
  ASSERT_OK_AND_ASSIGN(const auto config, folder.ReadConfig());
  EXPECT_EQ(config.site, "hr1");
  EXPECT_THAT(config.names, ::testing::ElementsAre("10.77.0.1", "reprise.hr1"));
  EXPECT_OK(folder.LoadAuthority());
  EXPECT_OK(folder.LoadServerIdentity(kNoon));
  // As the coordinator does it: the journal is opened to be written on.
  ASSERT_OK_AND_ASSIGN(const auto journal, journal::SqliteJournal::Open(folder.Journal()));
  EXPECT_EQ(journal->LastSequence(), 1);
  journal::v1::Event founded;
  ASSERT_OK(journal->Read(1, [&](const journal::Record& record) {
    EXPECT_TRUE(founded.ParseFromString(record.payload));
    return absl::OkStatus();
  }));
  ASSERT_OK_AND_ASSIGN(const auto keyring, model::Keyring::Found(founded.keyring_extended().statement(), ""));
  EXPECT_TRUE(keyring.Find("alice")->Has(model::v1::ROLE_ADMIN));
  EXPECT_EQ(keyring.policy().destroy_signatures, 3);
  EXPECT_TRUE(keyring.policy().Protects(model::v1::ASSET_CLASS_MEDICAL_DEVICE));
  EXPECT_TRUE(keyring.policy().Protects(model::v1::ASSET_CLASS_MODALITY));
}

TEST(Init, MakesAProfileThatTheSitesAuthorityVouchesFor) {
  FoundingDesk desk;
  ASSERT_EQ(desk.Run(desk.Init({"--listen", "0.0.0.0:9443"})), kExitOk) << desk.Err();
  ASSERT_OK_AND_ASSIGN(const Profile made, LoadProfile(desk.profile.folder, kNoon));
  EXPECT_EQ(made.coordinator, "10.77.0.1:9443");
  EXPECT_EQ(made.join, "10.77.0.1:7445");
  EXPECT_EQ(made.web, "https://10.77.0.1:7444");
  EXPECT_EQ(made.ca_pem, *ReadFile(desk.Folder().AuthorityCertificate()));
  ASSERT_OK_AND_ASSIGN(const auto identity, trust::IdentityOfPem(made.certificate_pem));
  EXPECT_TRUE(identity.IsOperator());
  EXPECT_EQ(identity.name, "alice");
  EXPECT_TRUE(std::filesystem::exists(made.SigningKey()));
}

TEST(Init, PrintsWhatIsWrittenOnPaper) {
  FoundingDesk desk;
  std::vector<std::string> arguments = desk.Init();
  arguments.insert(arguments.begin(), {"-o", "json"});
  ASSERT_EQ(desk.Run(arguments), kExitOk) << desk.Err();
  const Json json = desk.OutJson();
  EXPECT_EQ(json["ca_fingerprint"], desk.Folder().LoadAuthority()->fingerprint());
  EXPECT_EQ(json["keyring_fingerprint"], LoadProfile(desk.profile.folder, kNoon)->keyring_fingerprint);
  ASSERT_EQ(desk.Run({"journal", "verify", desk.Data(), "--expect-head", json["journal_head"]}), kExitOk) << desk.Out();
  EXPECT_THAT(desk.Out(), HasSubstr("that of event 1, the last"));
}

TEST(Init, TouchesNothingOfASiteThatExists) {
  FoundingDesk desk;
  ASSERT_EQ(desk.Run(desk.Init()), kExitOk);
  const auto before = ContentOf(desk.scratch.path());
  EXPECT_EQ(desk.Run(desk.Init()), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("already; nothing was changed"));
  EXPECT_EQ(ContentOf(desk.scratch.path()), before);
}

TEST(Init, TakesNoFolderInWhichOthersKeepTheirs) {
  FoundingDesk desk;
  std::filesystem::create_directory(desk.Data());
  ASSERT_OK(WriteFileDurably(std::filesystem::path(desk.Data()) / "letters.txt", "dear"));
  const auto before = std::filesystem::status(desk.Data()).permissions();
  EXPECT_EQ(desk.Run(desk.Init()), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("has other things in it (letters.txt)"));
  EXPECT_EQ(std::filesystem::status(desk.Data()).permissions(), before);
  // An empty one, as a mounted disk is, is taken.
  std::filesystem::remove(std::filesystem::path(desk.Data()) / "letters.txt");
  EXPECT_EQ(desk.Run(desk.Init()), kExitOk) << desk.Err();
}

TEST(Init, TouchesNothingOfAProfileThatExists) {
  FoundingDesk desk;
  desk.profile.folder = desk.scratch / "profile";  // Made by the desk.
  const auto before = ContentOf(desk.scratch.path());
  EXPECT_EQ(desk.Run(desk.Init()), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("there is a profile in"));
  EXPECT_EQ(ContentOf(desk.scratch.path()), before);
}

TEST(Init, IsRunAgainAfterItWasCutShort) {
  FoundingDesk desk;
  ASSERT_EQ(desk.Run(desk.Init()), kExitOk);
  const std::string key = *ReadFile(desk.profile.folder / "signing.key");
  // As if it had ended just before the two files that make folder and profile count.
  std::filesystem::remove(desk.Folder().Config());
  std::filesystem::remove(desk.profile.folder / "profile.json");
  ASSERT_EQ(desk.Run(desk.Init()), kExitOk) << desk.Err();
  EXPECT_EQ(*ReadFile(desk.profile.folder / "signing.key"), key) << "the founder's key is kept";
  EXPECT_OK(desk.Folder().LoadServerIdentity(kNoon));
  EXPECT_OK(LoadProfile(desk.profile.folder, kNoon));
  ASSERT_OK_AND_ASSIGN(const auto journal, journal::SqliteJournal::Open(desk.Folder().Journal()));
  EXPECT_EQ(journal->LastSequence(), 1);
}

TEST(Init, IsRunAgainAfterTheJournalWasHalfMade) {
  FoundingDesk desk;
  const auto folder = std::filesystem::path(desk.Data());
  std::filesystem::create_directories(folder / "founding");
  ASSERT_OK(WriteFileDurably(folder / "founding" / "journal.db", "half a database"));
  ASSERT_OK(WriteFileDurably(folder / "journal.db-wal", "moved, and the file itself not yet"));
  ASSERT_EQ(desk.Run(desk.Init()), kExitOk) << desk.Err();
  EXPECT_FALSE(std::filesystem::exists(folder / "founding"));
  ASSERT_OK_AND_ASSIGN(const auto journal, journal::SqliteJournal::Open(desk.Folder().Journal()));
  EXPECT_EQ(journal->LastSequence(), 1);
}

TEST(Init, NeverRemovesAJournalThatWasUsed) {
  FoundingDesk desk;
  ASSERT_EQ(desk.Run(desk.Init()), kExitOk);
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, journal::SqliteJournal::Open(desk.Folder().Journal()));
    journal::v1::Event event;
    event.set_at_ms(kNoon);
    event.set_actor("coordinator");
    event.mutable_coordinator_started();
    ASSERT_OK(journal->Append({event}));
  }
  std::filesystem::remove(desk.Folder().Config());
  std::filesystem::remove(desk.profile.folder / "profile.json");
  EXPECT_EQ(desk.Run(desk.Init()), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("is a site's journal with 2 events"));
  EXPECT_EQ((*journal::SqliteJournal::Open(desk.Folder().Journal()))->LastSequence(), 2);
}

TEST(Init, WritesNothingWhenSomethingAskedForIsWrong) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--listen", "nowhere"}, {"--protected-class", "medical_devise"}, {"--change-signatures", "3"},
      {"--name", "not a name"}};
  for (const auto& flags : wrong) {
    FoundingDesk desk;
    EXPECT_NE(desk.Run(desk.Init(flags)), kExitOk) << flags[0];
    EXPECT_FALSE(std::filesystem::exists(desk.Data())) << flags[0];
    EXPECT_FALSE(std::filesystem::exists(desk.profile.folder)) << flags[0];
  }
}

TEST(Init, TakesAnExistingKeyWithItsPassword) {
  FoundingDesk desk;
  const crypto::SecretKey key = crypto::SecretKey::Generate();
  ASSERT_OK(WriteFileDurably(desk.scratch / "mine.key", *key.File("secret"), 0600));
  desk.terminal.secrets = {"secret"};
  ASSERT_EQ(desk.Run(desk.Init({"--key", (desk.scratch / "mine.key").string()})), kExitOk) << desk.Err();
  EXPECT_EQ(*ReadFile(desk.profile.folder / "signing.key"), *ReadFile(desk.scratch / "mine.key"));
  EXPECT_THAT(desk.Out(), HasSubstr(key.Public().Base64()));
}

TEST(KeyCertify, RenewsAnExpiredProfileFromTheDataFolder) {
  FoundingDesk desk;
  ASSERT_EQ(desk.Run(desk.Init()), kExitOk);
  desk.clock.Advance(60 * 24 * kHour);
  EXPECT_FALSE(LoadProfile(desk.profile.folder, desk.clock.Now()).ok());
  ASSERT_EQ(desk.Run({"key", "certify", "alice", "--data", desk.Data()}), kExitOk) << desk.Err();
  EXPECT_OK(LoadProfile(desk.profile.folder, desk.clock.Now()));
  EXPECT_EQ(desk.Run({"key", "certify", "mallory", "--data", desk.Data(), "--update", (desk.scratch / "m").string()}),
            kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("mallory is not in the keyring"));
}

TEST(KeyCertify, CompletesAProfileOfWhichOnlyTheSigningKeyIsThere) {
  FoundingDesk desk;
  ASSERT_EQ(desk.Run(desk.Init()), kExitOk);
  const Profile before = *LoadProfile(desk.profile.folder, kNoon);
  for (const char* file : {"profile.json", "client.key", "client.crt", "ca.crt"}) {
    std::filesystem::remove(desk.profile.folder / file);
  }
  ASSERT_EQ(desk.Run({"key", "certify", "alice", "--data", desk.Data(), "--update", desk.profile.folder.string()}),
            kExitOk)
      << desk.Err();
  const Profile after = *LoadProfile(desk.profile.folder, kNoon);
  EXPECT_EQ(after.coordinator, before.coordinator);
  EXPECT_EQ(after.keyring_fingerprint, before.keyring_fingerprint);
  EXPECT_EQ(after.ca_pem, before.ca_pem);
}

// A journal with some events of which run 7 has one.
struct JournalDesk : FoundingDesk {
  JournalDesk() {
    EXPECT_EQ(Run(Init()), kExitOk) << Err();
    auto journal = journal::SqliteJournal::Open(Folder().Journal());
    EXPECT_OK(journal);
    std::vector<journal::v1::Event> events(3);
    for (size_t i = 0; i < events.size(); ++i) {
      events[i].set_at_ms(kNoon + static_cast<UnixMs>(i) * 1000);
      events[i].set_actor("coordinator");
      events[i].mutable_coordinator_started()->set_version("0.1." + std::to_string(i));
    }
    events[2].mutable_run_paused()->set_run(7);
    EXPECT_OK((*journal)->Append(events));
    head = ToHex((*journal)->Head());
  }
  std::string head;
};

TEST(JournalVerify, SaysThatAWholeJournalIsWhole) {
  JournalDesk desk;
  ASSERT_EQ(desk.Run({"-o", "json", "journal", "verify", "--quick", desk.Data()}), kExitOk) << desk.Out();
  const Json json = desk.OutJson();
  EXPECT_EQ(json["events"], 4);
  EXPECT_EQ(json["head"], desk.head);
  EXPECT_EQ(json["last_ms"], kNoon + 2000);
  EXPECT_EQ(json["refolded"], false);
  EXPECT_EQ(json["faults"], Json::array());
}

TEST(JournalVerify, NamesTheFirstBadRecord) {
  JournalDesk desk;
  // One bit of the third event's version, as an editor of the file would do it.
  const std::filesystem::path file = desk.Folder().Journal();
  for (const std::filesystem::path& part : {file, std::filesystem::path(file.string() + "-wal")}) {
    auto bytes = ReadFile(part);
    if (!bytes.ok()) continue;
    for (size_t at = bytes->find("0.1.1"); at != std::string::npos; at = bytes->find("0.1.1", at)) {
      (*bytes)[at + 4] = '9';
    }
    std::ofstream(part, std::ios::binary | std::ios::in | std::ios::out) << *bytes;
  }
  EXPECT_EQ(desk.Run({"journal", "verify", file.string(), "--quick"}), kExitFailure) << desk.Out();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("ALTERED OR DAMAGED"), HasSubstr("First bad record: event 3")));
}

TEST(JournalVerify, FindsTheHeadFromPaperWhereverItIs) {
  JournalDesk desk;
  std::string grouped;
  for (size_t i = 0; i < desk.head.size(); i += 4) grouped += desk.head.substr(i, 4) + " ";
  EXPECT_EQ(desk.Run({"journal", "verify", desk.Data(), "--quick", "--expect-head", grouped}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Out(), HasSubstr("event 4, the last"));
  const std::string other(64, 'a');
  EXPECT_EQ(desk.Run({"journal", "verify", desk.Data(), "--quick", "--expect-head", other}), kExitFailure);
  EXPECT_THAT(desk.Out(), HasSubstr("no event has the hash from paper"));
  EXPECT_EQ(desk.Run({"journal", "verify", desk.Data(), "--expect-head", "abc"}), kExitUsage);
}

TEST(JournalVerify, SaysThatOnlyPaperShowsACutEnd) {
  JournalDesk desk;
  EXPECT_EQ(desk.Run({"journal", "verify", desk.Data(), "--quick"}), kExitOk);
  EXPECT_THAT(desk.Err(), HasSubstr("--expect-head"));
}

TEST(JournalVerify, FailsWhereThereIsNoJournal) {
  FoundingDesk desk;
  EXPECT_EQ(desk.Run({"journal", "verify", (desk.scratch / "none").string()}), kExitFailure);
  EXPECT_THAT(desk.Out(), Not(HasSubstr("whole")));
}

TEST(JournalExport, WritesOneObjectALine) {
  JournalDesk desk;
  ASSERT_EQ(desk.Run({"journal", "export", desk.Data()}), kExitOk) << desk.Err();
  std::istringstream lines(desk.Out());
  std::string line;
  uint64_t sequence = 0;
  while (std::getline(lines, line)) {
    const Json json = Json::parse(line);
    EXPECT_EQ(json["sequence"], ++sequence);
    EXPECT_EQ(json["hash"].get<std::string>().size(), 64);
  }
  EXPECT_EQ(sequence, 4);
  EXPECT_EQ(Json::parse(line.empty() ? desk.Out().substr(desk.Out().rfind('\n', desk.Out().size() - 2)) : line)["hash"],
            desk.head);
}

TEST(JournalExport, TakesOnlyWhatWasAskedFor) {
  JournalDesk desk;
  ASSERT_EQ(desk.Run({"journal", "export", desk.Data(), "--run", "7"}), kExitOk);
  EXPECT_EQ(desk.OutJson()["sequence"], 4);
  EXPECT_EQ(desk.OutJson()["event"]["run_paused"]["run"], 7);
  ASSERT_EQ(desk.Run({"journal", "export", desk.Data(), "--from", "4"}), kExitOk);
  EXPECT_EQ(desk.OutJson()["sequence"], 4);
}

}  // namespace
}  // namespace reprise::cli::testing
