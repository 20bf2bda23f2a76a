// notes.h: what a plugin remembers on the host.
#include "plugins/sdk/notes.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <functional>

namespace reprise::sdk {
namespace {

class NotesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = std::filesystem::temp_directory_path() / "reprise-notes-XXXXXX";
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    folder_ = made;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string CodeOf(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    return "";
  }
  std::filesystem::path folder_;
};

TEST_F(NotesTest, AreReadByAnotherVerbLater) {
  Notes("host", folder_ / "base").Put("file-1", {{"before", "x"}});
  const Notes later("host", folder_ / "base");
  EXPECT_EQ(later.Get("file-1"), (Json{{"before", "x"}}));
  EXPECT_EQ(later.Get("file-2"), std::nullopt);
  later.Put("file-1", {{"before", "y"}});
  EXPECT_EQ(later.Get("file-1"), (Json{{"before", "y"}}));
  EXPECT_TRUE(later.Forget("file-1"));
  EXPECT_FALSE(later.Forget("file-1"));
  EXPECT_EQ(later.Get("file-1"), std::nullopt);
}

TEST_F(NotesTest, LookingForOneMakesNothing) {
  EXPECT_EQ(Notes("host", folder_ / "base").Get("file-1"), std::nullopt);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(NotesTest, AreForTheirOwnerOnly) {
  const Notes notes("host", folder_ / "base");
  notes.Put("file-1", Json::object());
  struct stat found {};
  ASSERT_EQ(stat((notes.folder() / "file-1.json").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600u);
  ASSERT_EQ(stat(notes.folder().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0700u);
}

TEST_F(NotesTest, AreNotWrittenWhereOthersMayWrite) {
  std::filesystem::create_directories(folder_ / "base");
  ASSERT_EQ(chmod((folder_ / "base").c_str(), 0777), 0);
  EXPECT_EQ(CodeOf([&] { Notes("host", folder_ / "base").Put("k", Json::object()); }), "unsafe_path");
  std::filesystem::create_directories(folder_ / "elsewhere");
  std::filesystem::create_symlink(folder_ / "elsewhere", folder_ / "link");
  EXPECT_EQ(CodeOf([&] { Notes("host", folder_ / "link").Put("k", Json::object()); }), "unsafe_path");
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "elsewhere"));
}

TEST_F(NotesTest, ThatCannotBeReadAreAnErrorNotAnAbsence) {
  const Notes notes("host", folder_ / "base");
  notes.Put("k", Json::object());
  WriteFileAtomically(notes.folder() / "k.json", "{\"half");
  EXPECT_EQ(CodeOf([&] { notes.Get("k"); }), "notes_broken");
}

TEST_F(NotesTest, HaveNamesForKeysNotPaths) {
  const Notes notes("host", folder_ / "base");
  EXPECT_EQ(CodeOf([&] { notes.Put("../k", Json::object()); }), "internal");
  EXPECT_EQ(CodeOf([&] { notes.Get(std::string(201, 'k')); }), "internal");
}

}  // namespace
}  // namespace reprise::sdk
