#include <gmock/gmock.h>

#include <cstdlib>

#include "plugins/backup/repositories/restic_key.h"
#include "tests/support/files.h"

namespace reprise::backup {
namespace {

TEST(ResticPassword, ComesFromTheUsualVariablesAndSaysWhyItDoesNot) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "password").string();
  std::string why;
  unsetenv("RESTIC_PASSWORD");
  unsetenv("RESTIC_PASSWORD_FILE");
  EXPECT_FALSE(ResticPassword(&why));
  EXPECT_EQ(why, "no password given");
  setenv("RESTIC_PASSWORD_FILE", file.c_str(), 1);
  EXPECT_FALSE(ResticPassword(&why));
  EXPECT_EQ(why, "no first line to be read in " + file + ": No such file or directory");
  Spit(file, "s3cret\r\n");
  EXPECT_EQ(ResticPassword(&why), "s3cret");
  unsetenv("RESTIC_PASSWORD_FILE");
}

}  // namespace
}  // namespace reprise::backup
