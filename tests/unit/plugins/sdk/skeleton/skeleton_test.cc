#include "plugins/sdk/skeleton/skeleton.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/support/files.h"

namespace reprise::skeleton {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SkeletonTest : public ::testing::Test {
 protected:
  // In `folder`, with what it says in the file "log" there. True: it ended well.
  static bool Cmake(std::vector<std::string> arguments, const std::filesystem::path& folder) {
    arguments.insert(arguments.begin(), "cmake");
    std::vector<char*> words;
    for (std::string& word : arguments) words.push_back(word.data());
    words.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addchdir_np(&files, folder.c_str());
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    pid_t child = 0;
    const int spawned = posix_spawnp(&child, "cmake", &files, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    int status = 0;
    return spawned == 0 && waitpid(child, &status, 0) == child && status == 0;
  }

  const TemporaryFolder folder_;
};

TEST_F(SkeletonTest, CompilesAsItStands) {
  ASSERT_TRUE(WriteSkeleton({"agiletime", SourceFolder()}, folder_ / "new").ok());
  const std::filesystem::path folder = folder_ / "new";
  ASSERT_TRUE(Cmake({"-B", "build"}, folder)) << Slurp(folder / "log");
  ASSERT_TRUE(Cmake({"--build", "build"}, folder)) << Slurp(folder / "log");
  EXPECT_GT(std::filesystem::file_size(folder / "build" / "agiletime.so"), 0u);
}

TEST_F(SkeletonTest, HasTheNewNameEverywhere) {
  for (const SkeletonFile& file : MakeSkeleton({"agiletime", "/somewhere"})) {
    EXPECT_THAT(file.path, Not(HasSubstr("hello")));
    EXPECT_THAT(file.content, Not(HasSubstr("hello"))) << file.path;
  }
}

TEST_F(SkeletonTest, WithoutAnIncludeFolderTheBuildSaysWhatToDo) {
  ASSERT_TRUE(WriteSkeleton({"agiletime", ""}, folder_ / "new").ok());
  EXPECT_FALSE(Cmake({"-B", "build"}, folder_ / "new"));
  EXPECT_THAT(Slurp(folder_ / "new" / "log"), HasSubstr("cmake -B build -DREPRISE_INCLUDE=DIR"));
}

TEST_F(SkeletonTest, RefusesNamesThatCannotBeATargetAndAFile) {
  for (const char* name : {"", "Agile", "a b", "../x", "9lives", "test", "a234567890123456789012345678901234"}) {
    EXPECT_EQ(WriteSkeleton({name, ""}, folder_ / "new").code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST_F(SkeletonTest, DoesNotWriteIntoAFolderThatHoldsSomething) {
  Spit(folder_ / "precious", "work");
  EXPECT_EQ(WriteSkeleton({"agiletime", ""}, folder_.path()).code(), absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace reprise::skeleton
