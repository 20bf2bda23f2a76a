#include "plugins/sdk/skeleton/skeleton.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace reprise::skeleton {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SkeletonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = std::filesystem::temp_directory_path() / "reprise-skeleton-XXXXXX";
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    folder_ = made;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::string Slurp(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  // Found from the build folder, where this test stands.
  static std::filesystem::path SourceFolder() {
    const auto build = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
    std::ifstream cache(build / "CMakeCache.txt");
    const std::string key = "CMAKE_HOME_DIRECTORY:INTERNAL=";
    for (std::string line; std::getline(cache, line);) {
      if (line.rfind(key, 0) == 0) return line.substr(key.size());
    }
    return "";
  }

  std::filesystem::path folder_;
};

TEST_F(SkeletonTest, CompilesAsItStands) {
  ASSERT_TRUE(WriteSkeleton({"agiletime", SourceFolder()}, folder_ / "new").ok());
  const std::string folder = folder_ / "new";
  const std::string command =
      "cd " + folder + " && cmake -B build >log 2>&1 && cmake --build build >>log 2>&1 && test -s build/agiletime.so";
  EXPECT_EQ(std::system(command.c_str()), 0) << Slurp(folder + "/log");
}

TEST_F(SkeletonTest, HasTheNewNameEverywhere) {
  for (const SkeletonFile& file : MakeSkeleton({"agiletime", "/somewhere"})) {
    EXPECT_THAT(file.path, Not(HasSubstr("hello")));
    EXPECT_THAT(file.content, Not(HasSubstr("hello"))) << file.path;
  }
}

TEST_F(SkeletonTest, WithoutAnIncludeFolderTheBuildSaysWhatToDo) {
  ASSERT_TRUE(WriteSkeleton({"agiletime", ""}, folder_ / "new").ok());
  const std::string command = "cd " + (folder_ / "new").string() + " && cmake -B build >log 2>&1";
  EXPECT_NE(std::system(command.c_str()), 0);
  EXPECT_THAT(Slurp(folder_ / "new" / "log"), HasSubstr("cmake -B build -DREPRISE_INCLUDE=DIR"));
}

TEST_F(SkeletonTest, RefusesNamesThatCannotBeATargetAndAFile) {
  for (const char* name : {"", "Agile", "a b", "../x", "9lives", "test", "a234567890123456789012345678901234"}) {
    EXPECT_EQ(WriteSkeleton({name, ""}, folder_ / "new").code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST_F(SkeletonTest, DoesNotWriteIntoAFolderThatHoldsSomething) {
  std::ofstream(folder_ / "precious") << "work";
  EXPECT_EQ(WriteSkeleton({"agiletime", ""}, folder_).code(), absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace reprise::skeleton
