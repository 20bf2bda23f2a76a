#include "agents/runner/work_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/time/clock.h"
#include "agents/runner/spawn.h"

namespace reprise::runner {
namespace {

class WorkFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "work-folder-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A process that holds the mark as what an agent starts does, and ends only when it is killed.
  pid_t Holder() {
    const Fd mark(open((folder_ / ".alive").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(flock(mark.get(), LOCK_EX | LOCK_NB), 0);
    const auto pid = Spawn({.arguments = {"/bin/sleep", "600"}, .environment = {}, .fds = {mark.get()}});
    EXPECT_TRUE(pid.ok()) << pid.status();
    return pid.ok() ? *pid : -1;
  }

  std::filesystem::path folder_;
};

TEST_F(WorkFolderTest, EndsWhatAFormerLifeHasLeftAndNobodyElseWill) {
  const pid_t holder = Holder();
  ASSERT_GT(holder, 0);
  const auto taken = WorkFolder::Take(folder_, absl::Seconds(5));
  EXPECT_TRUE(taken.ok()) << taken.status();
  int status = 0;
  ASSERT_EQ(waitpid(holder, &status, 0), holder);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(WorkFolderTest, LeavesProcessesAloneThatHoldOtherFiles) {
  const Fd other(open((folder_ / "other").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const auto bystander = Spawn({.arguments = {"/bin/sleep", "600"}, .environment = {}, .fds = {other.get()}});
  ASSERT_TRUE(bystander.ok()) << bystander.status();
  const pid_t holder = Holder();
  EXPECT_TRUE(WorkFolder::Take(folder_, absl::Seconds(5)).ok());
  int status = 0;
  EXPECT_EQ(waitpid(*bystander, &status, WNOHANG), 0) << "it was ended";
  kill(*bystander, SIGKILL);
  waitpid(*bystander, &status, 0);
  waitpid(holder, &status, 0);
}

TEST_F(WorkFolderTest, EmptiesWhatWasLeftInIt) {
  std::filesystem::create_directories(folder_ / "verb-7" / "deep");
  const auto taken = WorkFolder::Take(folder_, absl::Seconds(5));
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "verb-7"));
  EXPECT_TRUE(taken->Make(1).ok());
}

}  // namespace
}  // namespace reprise::runner
