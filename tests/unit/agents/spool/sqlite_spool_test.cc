#include "agents/spool/sqlite_spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/status_matchers.h"

namespace reprise::spool {
namespace {

namespace fs = std::filesystem;
using ::reprise::testing::StatusIs;
using ::testing::HasSubstr;

agent::v1::SpoolRecord Stop(uint64_t serial) {
  agent::v1::SpoolRecord record;
  record.mutable_stop_kept()->set_serial(serial);
  record.mutable_stop_kept()->set_reason("serial " + std::to_string(serial));
  return record;
}

class SqliteSpoolTest : public ::testing::Test {
 protected:
  SqliteSpoolTest() {
    char pattern[] = "/tmp/spool-test-XXXXXX";
    folder = mkdtemp(pattern);
    path = folder / "spool.db";
  }
  ~SqliteSpoolTest() override { fs::remove_all(folder); }

  std::vector<uint64_t> Serials() {
    auto opened = SqliteSpool::Open(path);
    EXPECT_TRUE(opened.ok()) << opened.status();
    std::vector<uint64_t> serials;
    if (opened.ok()) {
      for (const auto& record : opened->records) serials.push_back(record.stop_kept().serial());
    }
    return serials;
  }
  void Sql(const std::string& sql) {
    auto database = sqlite::Database::Open(path, sqlite::Database::Mode::kReadWrite);
    ASSERT_OK(database);
    ASSERT_OK(database->Execute(sql));
  }

  fs::path folder, path;
};

TEST_F(SqliteSpoolTest, GivesBackWhatWasAppendedInItsOrder) {
  {
    ASSERT_OK_AND_ASSIGN(auto opened, SqliteSpool::OpenOrCreate(path));
    EXPECT_TRUE(opened.records.empty());
    EXPECT_OK(opened.spool->Append({Stop(1), Stop(2)}));
    EXPECT_OK(opened.spool->Append({}));
    EXPECT_OK(opened.spool->Append({Stop(3)}));
    EXPECT_EQ(opened.spool->Count(), 3u);
  }
  EXPECT_EQ(Serials(), (std::vector<uint64_t>{1, 2, 3}));
}

TEST_F(SqliteSpoolTest, IsReadableOnlyByItsOwner) {
  ASSERT_OK(SqliteSpool::OpenOrCreate(path));
  EXPECT_EQ(fs::status(path).permissions() & fs::perms(0077), fs::perms::none);
}

TEST_F(SqliteSpoolTest, PutsTheFewestRecordsInThePlaceOfAll) {
  {
    ASSERT_OK_AND_ASSIGN(auto opened, SqliteSpool::OpenOrCreate(path));
    ASSERT_OK(opened.spool->Append({Stop(1), Stop(2), Stop(3)}));
    ASSERT_OK(opened.spool->Replace({Stop(3)}));
    ASSERT_OK(opened.spool->Append({Stop(4)}));
    EXPECT_EQ(opened.spool->Count(), 2u);
  }
  EXPECT_EQ(Serials(), (std::vector<uint64_t>{3, 4}));
}

TEST_F(SqliteSpoolTest, KeepsEverythingThatWasAppendedBeforeAKill) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto opened = SqliteSpool::OpenOrCreate(path);
    if (!opened.ok() || !opened->spool->Append({Stop(1)}).ok() || !opened->spool->Append({Stop(2)}).ok()) _exit(1);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(Serials(), (std::vector<uint64_t>{1, 2}));
}

// A write that the loss of power tore: the log of the last transactions is cut at every length.
TEST_F(SqliteSpoolTest, GivesAWholePrefixAfterATornWrite) {
  const fs::path copy = folder / "copy";
  {
    ASSERT_OK_AND_ASSIGN(auto opened, SqliteSpool::OpenOrCreate(path));
    for (uint64_t i = 1; i <= 4; ++i) ASSERT_OK(opened.spool->Append({Stop(10 * i), Stop(10 * i + 1)}));
    fs::create_directory(copy);
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.is_regular_file()) fs::copy_file(entry.path(), copy / entry.path().filename());
    }
  }
  const fs::path torn = folder / "torn";
  const auto log_size = fs::file_size(copy / "spool.db-wal");
  ASSERT_GT(log_size, 0u);
  size_t shortest = 99, longest = 0;
  for (uintmax_t size = log_size + 1; size-- > 0;) {
    if (size % 777 != 0 && size != log_size) continue;
    fs::remove_all(torn);
    fs::copy(copy, torn);
    fs::resize_file(torn / "spool.db-wal", size);
    fs::remove(torn / "spool.db-shm");
    auto opened = SqliteSpool::OpenOrCreate(torn / "spool.db");
    ASSERT_OK(opened) << size;
    const size_t count = opened->records.size();
    EXPECT_EQ(count % 2, 0u) << "half a transaction at " << size;
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(opened->records[i].stop_kept().serial(), 10 * (i / 2 + 1) + i % 2);
    EXPECT_OK(opened->spool->Append({Stop(99)})) << "must go on from there";
    shortest = std::min(shortest, count);
    longest = std::max(longest, count);
  }
  EXPECT_EQ(shortest, 0u);
  EXPECT_EQ(longest, 8u);
}

TEST_F(SqliteSpoolTest, NamesARecordThatWasChangedAndSaysWhatToDo) {
  {
    ASSERT_OK_AND_ASSIGN(auto opened, SqliteSpool::OpenOrCreate(path));
    ASSERT_OK(opened.spool->Append({Stop(1), Stop(2), Stop(3)}));
  }
  Sql("UPDATE record SET payload=x'5200' WHERE sequence=2");
  const auto status = SqliteSpool::Open(path).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("record 2")));
  EXPECT_THAT(std::string(status.message()), HasSubstr("reprise-agent join"));
}

TEST_F(SqliteSpoolTest, NamesARecordThatIsMissing) {
  {
    ASSERT_OK_AND_ASSIGN(auto opened, SqliteSpool::OpenOrCreate(path));
    ASSERT_OK(opened.spool->Append({Stop(1), Stop(2), Stop(3)}));
  }
  Sql("DELETE FROM record WHERE sequence=2");
  EXPECT_THAT(SqliteSpool::Open(path).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("record 2 is missing")));
}

TEST_F(SqliteSpoolTest, RefusesAFileThatIsNoSpool) {
  std::ofstream(path) << std::string(8192, 'x');
  EXPECT_THAT(SqliteSpool::OpenOrCreate(path).status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("spool.db")));
  fs::remove(path);
  EXPECT_THAT(SqliteSpool::Open(path).status(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("spool.db")));
  { ASSERT_OK(sqlite::Database::Open(path, sqlite::Database::Mode::kCreate)->Execute("CREATE TABLE t(x)")); }
  EXPECT_THAT(SqliteSpool::Open(path).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not an agent's spool")));
}

TEST_F(SqliteSpoolTest, RefusesASpoolOfANewerVersion) {
  ASSERT_OK(SqliteSpool::OpenOrCreate(path));
  Sql("PRAGMA user_version=2");
  EXPECT_THAT(SqliteSpool::Open(path).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("version 2")));
}

TEST_F(SqliteSpoolTest, CanBeLookedAtBesideTheAgentThatOwnsIt) {
  ASSERT_OK_AND_ASSIGN(auto opened, SqliteSpool::OpenOrCreate(path));
  ASSERT_OK(opened.spool->Append({Stop(1)}));
  ASSERT_OK_AND_ASSIGN(const auto seen, SqliteSpool::ReadOnly(path));
  EXPECT_EQ(seen.size(), 1u);
  EXPECT_OK(opened.spool->Append({Stop(2)}));
}

TEST_F(SqliteSpoolTest, AddsNothingWhenTheDiskIsFullAndGoesOnWhenItIsNot) {
  ASSERT_OK_AND_ASSIGN(auto opened, SqliteSpool::OpenOrCreate(path));
  ASSERT_OK(opened.spool->Append({Stop(1)}));
  agent::v1::SpoolRecord huge = Stop(2);
  huge.mutable_stop_kept()->set_reason(std::string(4 << 20, 'x'));
  struct rlimit before {};
  getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit small = {1 << 20, before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_FALSE(opened.spool->Append({huge}).ok());
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(opened.spool->Count(), 1u);
  EXPECT_OK(opened.spool->Append({Stop(3)}));
  opened.spool.reset();
  EXPECT_EQ(Serials(), (std::vector<uint64_t>{1, 3}));
}

}  // namespace
}  // namespace reprise::spool
