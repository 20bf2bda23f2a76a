#include "core/journal/verify.h"

#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/engine/engine.h"
#include "tests/unit/core/engine/hospital.h"
#include "tests/unit/core/journal/journal_folder.h"

namespace reprise::journal {
namespace {

using testing::JournalFolder;
using testing::StartedEvents;
using ::testing::HasSubstr;

// The journal of a coordinator that did some work, with a snapshot in the middle.
std::string WriteHistory(const JournalFolder& folder) {
  engine::testing::Hospital hospital(3);
  auto journal = SqliteJournal::Create(folder.File());
  EXPECT_OK(journal);
  engine::Engine replayed;
  const size_t middle = hospital.journal.size() / 2;
  for (size_t i = 0; i < hospital.journal.size(); ++i) {
    EXPECT_OK((*journal)->Append({hospital.journal[i]}));
    EXPECT_OK(replayed.Apply(hospital.journal[i]));
    if (i + 1 == middle) {
      EXPECT_OK((*journal)->SaveSnapshot({middle, replayed.Snapshot()}));
    }
  }
  return hospital.engine.Snapshot();
}

VerifyReport Verify(const JournalFolder& folder, bool refold = true) {
  VerifyOptions options;
  options.refold = refold;
  auto report = VerifyJournal(folder.File(), options);
  EXPECT_OK(report);
  return report.ok() ? *report : VerifyReport();
}

TEST(VerifyJournal, FoldsAWholeJournalIntoTheStateOfTheLiveEngine) {
  JournalFolder folder;
  const std::string state = WriteHistory(folder);
  const VerifyReport report = Verify(folder);
  EXPECT_TRUE(report.ok()) << report.faults.front().what;
  EXPECT_TRUE(report.refolded);
  EXPECT_EQ(report.state_sha256, ToHex(crypto::Sha256(state)));
  EXPECT_EQ(report.snapshots, 1);
  EXPECT_GT(report.events, 10);
}

TEST(VerifyJournal, FindsEveryFlippedBitAndNamesItsEvent) {
  for (const int sequence : {1, 7, 11}) {
    JournalFolder folder;
    WriteHistory(folder);
    folder.Tamper("UPDATE event SET payload = CAST(substr(payload, 1, 2) || x'7f' || substr(payload, 4) AS BLOB) "
                  "WHERE sequence = " + std::to_string(sequence));
    const VerifyReport report = Verify(folder);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.faults.front().sequence, sequence);
  }
}

TEST(VerifyJournal, FindsAnEventThatWasTakenOutAndOneThatWasPutIn) {
  JournalFolder folder;
  WriteHistory(folder);
  folder.Tamper("DELETE FROM event WHERE sequence = 5");
  EXPECT_FALSE(Verify(folder).ok());
  EXPECT_EQ(Verify(folder, false).faults.front().sequence, 5);
}

TEST(VerifyJournal, FindsAHistoryThatIsUnbrokenAndNotLegal) {
  JournalFolder folder;
  {
    auto journal = SqliteJournal::Create(folder.File());
    ASSERT_OK(journal);
    ASSERT_OK((*journal)->Append(StartedEvents(1, 1)));
    v1::Event out_of_nothing;
    out_of_nothing.set_at_ms(2);
    out_of_nothing.mutable_run_ended()->set_run(9);
    ASSERT_OK((*journal)->Append({out_of_nothing}));
  }
  EXPECT_TRUE(Verify(folder, false).ok());
  const VerifyReport report = Verify(folder);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.faults.front().sequence, 2);
}

TEST(VerifyJournal, FindsASnapshotThatIsNotWhatTheEventsSay) {
  JournalFolder folder;
  WriteHistory(folder);
  folder.Tamper("UPDATE snapshot SET state = x'0801'");
  const VerifyReport report = Verify(folder);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.faults.front().what, HasSubstr("snapshot"));
}

TEST(VerifyJournal, ReadsWhileACoordinatorWrites) {
  JournalFolder folder;
  auto journal = SqliteJournal::Create(folder.File());
  ASSERT_OK(journal);
  ASSERT_OK((*journal)->Append(StartedEvents(1, 3)));
  EXPECT_EQ(Verify(folder).events, 3);
  EXPECT_EQ(Verify(folder).head, ToHex((*journal)->Head()));
}

TEST(VerifyJournal, SaysPlainlyWhatIsNoJournal) {
  JournalFolder folder;
  EXPECT_EQ(VerifyJournal(folder.File(), {}).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace reprise::journal
