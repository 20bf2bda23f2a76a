#include "core/base/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "tests/support/status_matchers.h"

namespace reprise {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::HasSubstr;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "reprise-files-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~FilesTest() override { std::filesystem::remove_all(folder_); }

  size_t Entries() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++count;
    return count;
  }

  std::filesystem::path folder_;
};

TEST_F(FilesTest, ReadBackWhatWasWritten) {
  const std::string content = std::string("line\n\0tail", 10) + std::string(200'000, 'x');
  ASSERT_OK(WriteFileDurably(folder_ / "f", content));
  ASSERT_OK_AND_ASSIGN(const std::string back, ReadFile(folder_ / "f"));
  EXPECT_EQ(back, content);
}

TEST_F(FilesTest, HaveTheModeThatWasAskedForWhateverTheUmask) {
  const mode_t before = umask(0);
  ASSERT_OK(WriteFileDurably(folder_ / "key", "secret", 0600));
  umask(before);
  struct stat found {};
  ASSERT_EQ(stat((folder_ / "key").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(FilesTest, AreReplacedWholeAndLeaveNothingBeside) {
  ASSERT_OK(WriteFileDurably(folder_ / "f", "old and long"));
  ASSERT_OK(WriteFileDurably(folder_ / "f", "new"));
  ASSERT_OK_AND_ASSIGN(const std::string back, ReadFile(folder_ / "f"));
  EXPECT_EQ(back, "new");
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(FilesTest, NameThePathInEveryError) {
  EXPECT_THAT(ReadFile(folder_ / "absent"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("absent")));
  EXPECT_THAT(WriteFileDurably(folder_ / "no" / "f", "x"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("no/f")));
}

TEST_F(FilesTest, GiveUpOnADeviceThatDoesNotEnd) {
  EXPECT_THAT(ReadFile("/dev/zero"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("does not end")));
  EXPECT_OK(ReadFile("/dev/null"));
}

TEST_F(FilesTest, LeaveTheOldContentWhereTheNewCannotTakeItsPlace) {
  std::filesystem::create_directory(folder_ / "f");
  ASSERT_OK(WriteFileDurably(folder_ / "f" / "inner", "kept"));
  EXPECT_FALSE(WriteFileDurably(folder_ / "f", "new").ok());
  EXPECT_OK(ReadFile(folder_ / "f" / "inner"));
  EXPECT_EQ(Entries(), 1u) << "the temporary file must go";
}

TEST(Clocks, TellTheTimeInMilliseconds) {
  EXPECT_GT(SystemClock().Now(), 1'700'000'000'000);
  ManualClock clock(5);
  clock.Advance(10);
  EXPECT_EQ(clock.Now(), 15);
}

TEST(SystemRandomTest, GivesAsManyBytesAsAskedAndNeverTheSame) {
  SystemRandom random;
  EXPECT_EQ(random.Bytes(0), "");
  EXPECT_EQ(random.Bytes(1000).size(), 1000u);
  EXPECT_NE(random.Bytes(16), random.Bytes(16));
}

}  // namespace
}  // namespace reprise
