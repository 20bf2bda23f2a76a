#include "core/sqlite/database.h"

#include <cstdlib>
#include <fstream>

#include "tests/support/status_matchers.h"

namespace reprise::sqlite {
namespace {

using reprise::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() {
    std::string name = std::filesystem::temp_directory_path() / "sqlite-test-XXXXXX";
    folder = mkdtemp(name.data());
  }
  ~DatabaseTest() override { std::filesystem::remove_all(folder); }

  Database Create() {
    auto database = Database::Open(folder / "some.db", Database::Mode::kCreate);
    EXPECT_OK(database);
    EXPECT_OK(database->Execute("CREATE TABLE thing(id INTEGER PRIMARY KEY, name TEXT NOT NULL, bytes BLOB)"));
    return *std::move(database);
  }

  std::filesystem::path folder;
};

TEST_F(DatabaseTest, GivesBackWhatWasBoundZeroBytesIncluded) {
  Database database = Create();
  const std::string bytes("a\0b", 3);
  ASSERT_OK_AND_ASSIGN(Statement insert, database.Prepare("INSERT INTO thing VALUES(?, ?, ?)"));
  EXPECT_OK(insert.Bind(1, 7).BindText(2, "seven").BindBlob(3, bytes).Run());
  EXPECT_OK(insert.Bind(1, 8).BindText(2, "eight").BindNull(3).Run());
  ASSERT_OK_AND_ASSIGN(Statement select, database.Prepare("SELECT id, name, bytes FROM thing ORDER BY id"));
  ASSERT_OK_AND_ASSIGN(bool row, select.Step());
  ASSERT_TRUE(row);
  EXPECT_EQ(select.Int(0), 7);
  EXPECT_EQ(select.Text(1), "seven");
  EXPECT_EQ(select.Blob(2), bytes);
  ASSERT_OK_AND_ASSIGN(row, select.Step());
  EXPECT_TRUE(select.IsNull(2));
  ASSERT_OK_AND_ASSIGN(row, select.Step());
  EXPECT_FALSE(row);
}

TEST_F(DatabaseTest, UndoesATransactionWhoseWorkFails) {
  Database database = Create();
  const auto work = [&]() -> absl::Status {
    EXPECT_OK(database.Execute("INSERT INTO thing VALUES(1, 'one', NULL)"));
    return absl::AbortedError("no");
  };
  EXPECT_THAT(database.Transaction(work), StatusIs(absl::StatusCode::kAborted, "no"));
  EXPECT_EQ(*database.Number("SELECT count(*) FROM thing"), 0);
}

TEST_F(DatabaseTest, IsDurableByWriteAheadLogAndFullSync) {
  Database database = Create();
  ASSERT_OK(database.MakeDurable());
  EXPECT_EQ(*database.Text("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(*database.Number("PRAGMA synchronous"), 2) << "FULL";
}

TEST_F(DatabaseTest, SaysWhatIsWrongWithAFile) {
  EXPECT_THAT(Database::Open(folder / "none.db", Database::Mode::kReadWrite), StatusIs(absl::StatusCode::kNotFound, _));
  std::ofstream(folder / "text.db") << std::string(5000, 'x');
  auto opened = Database::Open(folder / "text.db", Database::Mode::kReadWrite);
  const absl::Status status = opened.ok() ? opened->Number("SELECT count(*) FROM sqlite_schema").status() : opened.status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("text.db")));
}

TEST_F(DatabaseTest, SaysWhenTheDiskIsFull) {
  Database database = Create();
  ASSERT_OK(database.Execute("PRAGMA max_page_count = 4"));  // SQLite answers as for a full disk.
  ASSERT_OK_AND_ASSIGN(Statement insert, database.Prepare("INSERT INTO thing VALUES(1, 'big', ?)"));
  EXPECT_THAT(insert.BindBlob(1, std::string(100'000, 'x')).Run(), StatusIs(absl::StatusCode::kResourceExhausted, _));
}

TEST_F(DatabaseTest, WritesNothingThroughAReader) {
  Create();
  ASSERT_OK_AND_ASSIGN(Database reader, Database::Open(folder / "some.db", Database::Mode::kReadOnly));
  EXPECT_FALSE(reader.Execute("DELETE FROM thing").ok());
}

}  // namespace
}  // namespace reprise::sqlite
