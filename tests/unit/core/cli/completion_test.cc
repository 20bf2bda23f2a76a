// The completion script is run in a real bash: what would a person see after pressing Tab?
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cli/commands/commands.h"
#include "core/cli/commands/completion_script.h"
#include "tests/unit/core/cli/fakes.h"

extern char** environ;

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Bash {
 public:
  Bash() {
    GlobalFlags flags;
    EXPECT_OK(WriteFileDurably(folder_ / "reprise.bash", BashCompletion(*Declare(Groups(), Commands(), flags).app)));
  }

  // What is offered, one a line, with the cursor at the end of the last word.
  std::string After(const std::vector<std::string>& words) {
    std::string script = "source " + (folder_ / "reprise.bash").string() + " || exit 9\nCOMP_WORDS=(";
    for (const std::string& word : words) script += "'" + word + "' ";
    script += ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\ncd " + folder_.path().string() +
              "\n_reprise\nprintf '%s\\n' \"${COMPREPLY[@]}\" > offered\n";
    const std::string text = script;
    const char* const arguments[] = {"bash", "--norc", "-c", text.c_str(), nullptr};
    pid_t child = 0;
    if (posix_spawnp(&child, "bash", nullptr, nullptr, const_cast<char* const*>(arguments), environ) != 0) return "no bash";
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    return "\n" + ReadFile(folder_ / "offered").value_or("nothing");
  }

 private:
  TestFolder folder_;
};

TEST(Completion, OffersCommandsGroupsAndTheirCommands) {
  Bash bash;
  EXPECT_THAT(bash.After({"reprise", ""}), AllOf(HasSubstr("\ninit\n"), HasSubstr("\nrun\n"), HasSubstr("\njournal\n")));
  EXPECT_EQ(bash.After({"reprise", "sta"}), "\nstatus\n");
  EXPECT_EQ(bash.After({"reprise", "journal", ""}), "\nverify\nexport\n");
  EXPECT_EQ(bash.After({"reprise", "key", "ce"}), "\ncertify\n");
}

TEST(Completion, OffersACommandsOptionsAndTheGlobalOnes) {
  Bash bash;
  EXPECT_EQ(bash.After({"reprise", "journal", "verify", "--ex"}), "\n--expect-head\n");
  EXPECT_THAT(bash.After({"reprise", "init", "--"}), AllOf(HasSubstr("\n--site\n"), HasSubstr("\n--profile\n"),
                                                           Not(HasSubstr("\n--expect-head\n"))));
}

TEST(Completion, StepsOverTheValueOfAnOption) {
  Bash bash;
  EXPECT_EQ(bash.After({"reprise", "-o", "j"}), "\njson\n");
  EXPECT_EQ(bash.After({"reprise", "--output", "=", "w"}), "\nwide\n");
  EXPECT_EQ(bash.After({"reprise", "-o", "json", "journal", "ex"}), "\nexport\n");
  // "run" is the value here, not the group.
  EXPECT_EQ(bash.After({"reprise", "--profile", "run", "journal", "ex"}), "\nexport\n");
  EXPECT_EQ(bash.After({"reprise", "-y", "journal", "ex"}), "\nexport\n");
}

TEST(Completion, OffersFilesWhereAFileIsMeantNamesWithSpacesToo) {
  Bash bash;
  EXPECT_EQ(bash.After({"reprise", "plugin", "verify", "repri"}), "\nreprise.bash\n");
  EXPECT_EQ(bash.After({"reprise", "key", "add", "bob", "--file", "repri"}), "\nreprise.bash\n");
}

}  // namespace
}  // namespace reprise::cli::testing
