// `reprise backup judge`, with the real children that judge.
#include <cstdlib>

#include "core/cli/commands/declarations.h"
#include "tests/support/files.h"
#include "tests/unit/core/cli/fakes.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Judge : Desk {
  Judge() : Desk({{"backup", "judge", "", DeclareBackupJudge}}) {
    with_profile = false;
    setenv("REPRISE_BACKUP_JUDGE", (BuildFolder() / "bin/reprise-backup-judge").c_str(), 1);
    std::filesystem::create_directory(point());
    EXPECT_OK(WriteFileDurably(point() / "a.json", R"({"ward": "maternity", "beds": 12})"));
    EXPECT_OK(WriteFileDurably(point() / "b.json", R"({"ward": "surgery", "beds": 20})"));
  }
  ~Judge() {
    unsetenv("REPRISE_BACKUP_JUDGE");
    unsetenv("RESTIC_PASSWORD_FILE");
  }
  std::filesystem::path point() const { return scratch / "point"; }
  int Of(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"backup", "judge"});
    return Run(std::move(arguments));
  }
};

TEST(BackupJudge, JudgesNothingWhereAPathIsNotThere) {
  Judge desk;
  EXPECT_EQ(desk.Of({desk.point(), desk.scratch / "pointt"}), kExitUsage);
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("pointt: there is no such file or folder"), HasSubstr("nothing was judged")));
  EXPECT_EQ(desk.Out(), "");
}

TEST(BackupJudge, KeepsAVerdictForWhatIsThereAndCannotBeRead) {
  Judge desk;
  std::filesystem::create_symlink(desk.scratch / "gone", desk.scratch / "link");
  EXPECT_EQ(desk.Of({desk.scratch / "link"}), kExitPartial);
  EXPECT_THAT(desk.Out(), HasSubstr("link"));
}

TEST(BackupJudge, TellsTheNewestFileAndTheFormats) {
  Judge desk;
  EXPECT_EQ(desk.Of({desk.point()}), kExitOk) << desk.Out() << desk.Err();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("newest file: 20"), HasSubstr("formats, by files: json 2")));
}

TEST(BackupJudge, WritesTheManifestThatALaterJudgementExpects) {
  Judge desk;
  const std::string file = desk.scratch / "point.manifest";
  EXPECT_EQ(desk.Of({"--write-manifest", file, desk.point()}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Err(), HasSubstr("the manifest of 2 file(s)"));
  EXPECT_THAT(*ReadFile(file), AllOf(HasSubstr("  33  a.json\n"), HasSubstr("  31  b.json\n")));
  EXPECT_EQ(desk.Of({"--expected", file, desk.point()}), kExitOk) << desk.Out();
  EXPECT_OK(WriteFileDurably(desk.point() / "b.json", R"({"ward": "surgery", "beds": 21})"));
  EXPECT_EQ(desk.Of({"--expected", file, desk.point()}), kExitPartial) << "one digit is another";
  EXPECT_THAT(desk.Out(), HasSubstr("b.json"));
}

TEST(BackupJudge, WritesNoManifestIntoWhatItJudgesNorOneOfMany) {
  Judge desk;
  EXPECT_EQ(desk.Of({"--write-manifest", desk.point() / "list", desk.point()}), kExitUsage);
  EXPECT_THAT(desk.Err(), HasSubstr("which is only read"));
  EXPECT_EQ(desk.Of({"--write-manifest", desk.scratch / "list", desk.point(), desk.point() / "a.json"}), kExitUsage);
  EXPECT_FALSE(std::filesystem::exists(desk.point() / "list"));
  EXPECT_FALSE(std::filesystem::exists(desk.scratch / "list"));
}

TEST(BackupJudge, SaysAtOnceThatThePasswordFileCannotBeRead) {
  Judge desk;
  setenv("RESTIC_PASSWORD_FILE", "/nope", 1);
  EXPECT_EQ(desk.Of({desk.point()}), kExitOk);
  EXPECT_THAT(desk.Err(), HasSubstr("cannot read /nope: No such file or directory"));
  unsetenv("RESTIC_PASSWORD_FILE");
  EXPECT_EQ(desk.Of({desk.point()}), kExitOk);
  EXPECT_THAT(desk.Err(), Not(HasSubstr("cannot read")));
}

}  // namespace
}  // namespace reprise::cli::testing
