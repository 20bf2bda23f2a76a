// manifest.h on real folders: the text, what is no part of it, and what changes while it is read.
#include "plugins/sdk/manifest.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::sdk {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ManifestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = fs::temp_directory_path() / "reprise-manifest-XXXXXX";
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    folder_ = made;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& content) {
    fs::create_directories((folder_ / name).parent_path());
    WriteFileAtomically(folder_ / name, content);
  }
  Manifest Of(const fs::path& point, const ManifestOptions& options = {}) {
    return ManifestOf(context_, point, options);
  }
  static std::string CodeOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return "";
  }

  fs::path folder_;
  FakeCall call_{Json{{"verb", "probe"}}};
  Context context_{call_.call(), call_.request()};
};

TEST_F(ManifestTest, HasALineForEachFileSortedBytewise) {
  Write("b", "");
  Write("a/z", "one");
  Write("a-b", "two");  // '-' sorts before '/', whatever a walk meets first.
  EXPECT_EQ(Of(folder_).Text(),
            "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3  3  a-b\n"
            "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  3  a/z\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  0  b\n");
  EXPECT_EQ(Of(folder_).Sha256(), Sha256OfText(Of(folder_).Text()));
  EXPECT_EQ(Of(folder_).Bytes(), 6u);
  EXPECT_EQ(Of(folder_.string() + "/").Sha256(), Of(folder_).Sha256());
}

TEST_F(ManifestTest, OfASingleFileHasItsName) {
  Write("x/base.dump", "one");
  EXPECT_EQ(Of(folder_ / "x/base.dump").Text(),
            "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  3  base.dump\n");
}

TEST_F(ManifestTest, OfArtifactsIsThatOfTheSameFilesInAFolder) {
  Write("cache/1", "one");
  Write("cache/2", "two");
  Write("point/a.dump", "one");
  Write("point/b.dump", "two");
  FakeCall call(Json{{"artifacts", {{"b.dump", (folder_ / "cache/2").string()}, {"a.dump", (folder_ / "cache/1").string()}}}});
  const Context context(call.call(), call.request());
  EXPECT_EQ(ManifestOfArtifacts(context).Text(), Of(folder_ / "point").Text());
  EXPECT_EQ(CodeOf([&] { RequireManifest(context, "", Of(folder_ / "point").Sha256()); }), "");
}

TEST_F(ManifestTest, NamesWhatIsNoFileAndFollowsNothing) {
  Write("secret", "outside");
  Write("point/file", "one");
  fs::create_symlink(folder_ / "secret", folder_ / "point/link");
  fs::create_directory_symlink(folder_, folder_ / "point/loop");
  ASSERT_EQ(mkfifo((folder_ / "point/pipe").c_str(), 0600), 0);
  Write("point/two\nlines", "x");
  const Manifest manifest = Of(folder_ / "point");
  ASSERT_EQ(manifest.files.size(), 1u);
  EXPECT_THAT(manifest.problems, ElementsAre("link: a symbolic link", "loop: a symbolic link",
                                             "pipe: neither a file nor a folder", "two…: a line feed in the name"));
  EXPECT_EQ(CodeOf([&] { RequireManifest(context_, folder_ / "point", manifest.Sha256()); }), "wrong_copy");
}

TEST_F(ManifestTest, RefusesAnotherCopy) {
  Write("point/file", "one");
  const std::string judged = Of(folder_ / "point").Sha256();
  EXPECT_EQ(RequireManifest(context_, folder_ / "point", judged).files.size(), 1u);
  Write("point/file", "onf");
  EXPECT_EQ(CodeOf([&] { RequireManifest(context_, folder_ / "point", judged); }), "wrong_copy");
  Write("point/file", "one");
  Write("point/more", "");
  EXPECT_EQ(CodeOf([&] { RequireManifest(context_, folder_ / "point", judged); }), "wrong_copy");
  fs::create_directories(folder_ / "empty");
  EXPECT_EQ(CodeOf([&] { RequireManifest(context_, folder_ / "empty", Of(folder_ / "empty").Sha256()); }), "wrong_copy");
}

TEST_F(ManifestTest, StopsWhenAFileChangesWhileItIsRead) {
  Write("point/a", std::string(3 << 20, 'x'));
  bool written = false;
  ManifestOptions options;
  options.read = [&](uint64_t) {
    if (std::exchange(written, true)) return;
    Fd fd(open((folder_ / "point/a").c_str(), O_WRONLY | O_APPEND));
    ASSERT_EQ(write(fd.get(), "y", 1), 1);
  };
  EXPECT_EQ(CodeOf([&] { Of(folder_ / "point", options); }), "changed");
}

TEST_F(ManifestTest, StopsWhenAFileVanishesOrAppearsMeanwhile) {
  Write("point/a", "x");
  Write("point/b", "x");
  ManifestOptions options;
  options.read = [&](uint64_t) { RemoveFile(folder_ / "point/b"); };
  EXPECT_EQ(CodeOf([&] { Of(folder_ / "point", options); }), "changed");
  options.read = [&](uint64_t) { Write("point/c", "x"); };
  EXPECT_EQ(CodeOf([&] { Of(folder_ / "point", options); }), "changed");
}

TEST_F(ManifestTest, EndsWhenTheVerbIsCancelled) {
  Write("point/a", std::string(3 << 20, 'x'));
  ManifestOptions options;
  options.read = [&](uint64_t) { call_.cancelled = true; };
  EXPECT_EQ(CodeOf([&] { Of(folder_ / "point", options); }), "cancelled");
}

TEST_F(ManifestTest, ReadsBackWhatItWrote) {
  Write("point/a b", "one");
  Write("point/c/d  e", "two");
  const Manifest manifest = Of(folder_ / "point");
  EXPECT_EQ(ParseManifest(manifest.Text()).files, manifest.files);
}

TEST_F(ManifestTest, SaysWhichLineIsNone) {
  const std::string digest(64, 'a');
  for (const std::string& bad :
       {std::string("x\n"), digest + "  3  a", digest + "  -3  a\n", digest + "  3 a\n", digest + "  3  /a\n",
        digest + "  3  ../a\n", digest + "  3  b\n" + digest + "  3  a\n", std::string(64, 'A') + "  3  a\n"}) {
    EXPECT_EQ(CodeOf([&] { ParseManifest(bad); }), "bad_manifest") << bad;
  }
}

}  // namespace
}  // namespace reprise::sdk
