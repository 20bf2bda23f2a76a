#include "core/journal/sqlite_journal.h"

#include "core/journal/founding.h"
#include "core/journal/journal_reader.h"
#include "tests/unit/agents/engine/signed_plan.h"
#include "tests/unit/core/journal/journal_folder.h"

namespace reprise::journal {
namespace {

using reprise::testing::IsOk;
using reprise::testing::StatusIs;
using testing::JournalFolder;
using testing::StartedEvents;
using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<Record> ReadAll(Journal& journal, uint64_t from) {
  std::vector<Record> records;
  EXPECT_OK(journal.Read(from, [&](const Record& record) {
    records.push_back(record);
    return absl::OkStatus();
  }));
  return records;
}

TEST(SqliteJournal, KeepsEventsInOrderEachChainedToTheOneBefore) {
  JournalFolder folder;
  {
    ASSERT_OK_AND_ASSIGN(auto journal, SqliteJournal::Create(folder.File()));
    EXPECT_EQ(journal->Head(), std::string(32, '\0'));
    ASSERT_OK(journal->Append(StartedEvents(1, 3)));
    ASSERT_OK(journal->Append(StartedEvents(4, 2)));
  }
  ASSERT_OK_AND_ASSIGN(auto journal, SqliteJournal::Open(folder.File()));
  EXPECT_EQ(journal->LastSequence(), 5);
  const auto records = ReadAll(*journal, 1);
  ASSERT_EQ(records.size(), 5);
  std::string before(32, '\0');
  for (const Record& record : records) {
    EXPECT_EQ(record.hash, ChainHash(before, record.sequence, record.payload));
    before = record.hash;
  }
  EXPECT_EQ(journal->Head(), before);
  EXPECT_EQ(ReadAll(*journal, 4).size(), 2);
  EXPECT_EQ(ReadAll(*journal, 6).size(), 0);
}

TEST(SqliteJournal, AppendsAllOrNothing) {
  JournalFolder folder;
  ASSERT_OK_AND_ASSIGN(auto journal, SqliteJournal::Create(folder.File()));
  ASSERT_OK(journal->Append(StartedEvents(1, 1)));
  folder.Tamper("CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.sequence = 3 "
                "BEGIN SELECT RAISE(ABORT, 'not this one'); END");
  EXPECT_FALSE(journal->Append(StartedEvents(2, 3)).ok());
  EXPECT_EQ(journal->LastSequence(), 1);
  EXPECT_EQ(ReadAll(*journal, 1).size(), 1);
  folder.Tamper("DROP TRIGGER refuse");
  ASSERT_OK(journal->Append(StartedEvents(2, 3)));
  EXPECT_EQ(ReadAll(*journal, 1).size(), 4) << "and goes on where it was";
}

TEST(SqliteJournal, WritesNothingThatCouldNotBeReadBack) {
  JournalFolder folder;
  ASSERT_OK_AND_ASSIGN(auto journal, SqliteJournal::Create(folder.File()));
  auto events = StartedEvents(1, 2);
  events[1].set_actor("host:ws-002");
  events[1].mutable_session_opened()->set_agent_version("1.0 \xc3");
  EXPECT_THAT(journal->Append(events), StatusIs(absl::StatusCode::kUnavailable,
                                                AllOf(HasSubstr("session_opened"), HasSubstr("host:ws-002"))));
  EXPECT_EQ(ReadAll(*journal, 1).size(), 0);
  events[1].mutable_session_opened()->set_agent_version("1.0 \xc3\xa9");
  ASSERT_OK(journal->Append(events));
  EXPECT_EQ(ReadAll(*journal, 1).size(), 2) << "and goes on where it was";
}

TEST(SqliteJournal, IsWrittenByOneAtATime) {
  JournalFolder folder;
  ASSERT_OK_AND_ASSIGN(auto journal, SqliteJournal::Create(folder.File()));
  EXPECT_THAT(SqliteJournal::Open(folder.File()), StatusIs(absl::StatusCode::kFailedPrecondition, _));
  journal.reset();
  EXPECT_OK(SqliteJournal::Open(folder.File()));
}

TEST(SqliteJournal, IsReadWhileItIsWritten) {
  JournalFolder folder;
  ASSERT_OK_AND_ASSIGN(auto journal, SqliteJournal::Create(folder.File()));
  ASSERT_OK(journal->Append(StartedEvents(1, 2)));
  ASSERT_OK_AND_ASSIGN(auto reader, JournalReader::Open(folder.File()));
  const auto count = [&] {
    int records = 0;
    EXPECT_OK(reader.Read(1, [&](const Record&) {
      ++records;
      return absl::OkStatus();
    }));
    return records;
  };
  EXPECT_EQ(count(), 2);
  ASSERT_OK(journal->Append(StartedEvents(3, 2)));
  EXPECT_EQ(count(), 4);
}

TEST(SqliteJournal, NamesTheEventWhoseBytesWereChanged) {
  JournalFolder folder;
  {
    ASSERT_OK_AND_ASSIGN(auto journal, SqliteJournal::Create(folder.File()));
    ASSERT_OK(journal->Append(StartedEvents(1, 5)));
  }
  folder.Tamper("UPDATE event SET payload = payload || x'00' WHERE sequence = 3");
  ASSERT_OK_AND_ASSIGN(auto journal, SqliteJournal::Open(folder.File()));
  EXPECT_THAT(journal->Read(1, [](const Record&) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("3")));
  folder.Tamper("UPDATE event SET hash = zeroblob(32) WHERE sequence = 5");
  journal.reset();
  EXPECT_THAT(SqliteJournal::Open(folder.File()), StatusIs(absl::StatusCode::kDataLoss, _));
}

TEST(SqliteJournal, KeepsTheNewestTwoSnapshotsAndPassesOverADamagedOne) {
  JournalFolder folder;
  ASSERT_OK_AND_ASSIGN(auto journal, SqliteJournal::Create(folder.File()));
  EXPECT_THAT(journal->LoadSnapshot(), StatusIs(absl::StatusCode::kNotFound, _));
  for (int64_t i = 1; i <= 3; ++i) {
    ASSERT_OK(journal->Append(StartedEvents(i, 1)));
    ASSERT_OK(journal->SaveSnapshot({static_cast<uint64_t>(i), "state " + std::to_string(i)}));
  }
  EXPECT_EQ(journal->LoadSnapshot()->state, "state 3");
  journal.reset();
  folder.Tamper("UPDATE snapshot SET state = x'ff' WHERE sequence = 3");
  ASSERT_OK_AND_ASSIGN(journal, SqliteJournal::Open(folder.File()));
  EXPECT_EQ(journal->LoadSnapshot()->state, "state 2");
  journal.reset();
  folder.Tamper("DELETE FROM snapshot WHERE sequence >= 2");
  ASSERT_OK_AND_ASSIGN(journal, SqliteJournal::Open(folder.File()));
  EXPECT_THAT(journal->LoadSnapshot(), StatusIs(absl::StatusCode::kNotFound, _)) << "the first had gone already";
}

TEST(SqliteJournal, OpensOnlyWhatIsAJournal) {
  JournalFolder folder;
  EXPECT_THAT(SqliteJournal::Open(folder.File()), StatusIs(absl::StatusCode::kNotFound, _));
  {
    ASSERT_OK_AND_ASSIGN(auto other, sqlite::Database::Open(folder.File(), sqlite::Database::Mode::kCreate));
    ASSERT_OK(other.Execute("CREATE TABLE event(sequence INTEGER)"));
  }
  EXPECT_THAT(SqliteJournal::Open(folder.File()), StatusIs(absl::StatusCode::kFailedPrecondition, _));
  EXPECT_THAT(SqliteJournal::Create(folder.File()), StatusIs(absl::StatusCode::kAlreadyExists, _));
}

TEST(SqliteJournal, IsFoundedOnAKeyringThatIsOne) {
  JournalFolder folder;
  const agents::testing::People people;
  plan::v1::SignedStatement forged = people.chain().front();
  forged.mutable_signatures()->Clear();
  EXPECT_FALSE(FoundJournal(folder.File(), forged, "alice", 1).ok());
  EXPECT_FALSE(std::filesystem::exists(folder.File())) << "nothing is made of it";
  EXPECT_OK(FoundJournal(folder.File(), people.chain().front(), "alice", 1));
  ASSERT_OK_AND_ASSIGN(auto journal, SqliteJournal::Open(folder.File()));
  EXPECT_EQ(journal->LastSequence(), 1);
}

}  // namespace
}  // namespace reprise::journal
