// The `minisign` program as judge of our files, and ours as judge of its: in both directions, with and without
// password.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/files.h"
#include "core/crypto/minisign.h"
#include "tests/support/status_matchers.h"

namespace reprise::crypto {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::HasSubstr;

// A key's number, without leading zeros.
std::string AsMinisignWritesIt(const std::string& id) {
  return id.substr(std::min(id.find_first_not_of('0'), id.size()));
}

class MinisignProgram : public ::testing::Test {
 protected:
  MinisignProgram() {
    std::string pattern = (std::filesystem::temp_directory_path() / "reprise-minisign-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~MinisignProgram() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  void Write(const std::string& name, const std::string& content) {
    ASSERT_OK(WriteFileDurably(folder_ / name, content, 0600));
  }
  std::string Read(const std::string& name) const { return ReadFile(folder_ / name).value_or("(absent)"); }

  // Its exit code; what it prints is in the file "output".
  int Run(std::vector<std::string> arguments, const std::string& input = "") {
    Write("input", input);
    arguments.insert(arguments.begin(), "minisign");
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, Path("input").c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, Path("output").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child = -1;
    const int error = posix_spawnp(&child, "minisign", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(error, 0) << "the tests need Debian's package minisign";
    if (error != 0) return -1;
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::filesystem::path folder_;
};

TEST_F(MinisignProgram, VerifiesOurSignatures) {
  const SecretKey key = SecretKey::Generate();
  Write("m", "the plan");
  Write("m.minisig", key.Sign("the plan", "by alice at HR-1, é"));
  EXPECT_EQ(Run({"-V", "-H", "-P", key.Public().Base64(), "-m", Path("m")}), 0) << Read("output");
  EXPECT_THAT(Read("output"), HasSubstr("by alice at HR-1, é"));
  Write("k.pub", key.Public().File("alice"));
  EXPECT_EQ(Run({"-V", "-p", Path("k.pub"), "-m", Path("m")}), 0) << Read("output");
  Write("m", "the plan.");
  EXPECT_NE(Run({"-V", "-P", key.Public().Base64(), "-m", Path("m")}), 0);
}

TEST_F(MinisignProgram, SignsWithOurKeyInClear) {
  const SecretKey key = SecretKey::Generate();
  Write("k", *key.File(""));
  Write("m", "the plan");
  ASSERT_EQ(Run({"-S", "-s", Path("k"), "-m", Path("m"), "-t", "hello"}), 0) << Read("output");
  EXPECT_OK(key.Public().Verify("the plan", Read("m.minisig")));
  ASSERT_EQ(Run({"-R", "-s", Path("k"), "-p", Path("k.pub")}), 0) << Read("output");
  EXPECT_EQ(PublicKey::Parse(Read("k.pub"))->Base64(), key.Public().Base64());
  EXPECT_THAT(Read("k.pub"), HasSubstr(AsMinisignWritesIt(key.Public().KeyId())));
}

TEST_F(MinisignProgram, SignsWithOurProtectedKey) {
  const SecretKey key = SecretKey::Generate();
  Write("k", *key.File("mot de passe"));
  Write("m", "the plan");
  EXPECT_NE(Run({"-S", "-s", Path("k"), "-m", Path("m")}, "another\n"), 0);
  ASSERT_EQ(Run({"-S", "-s", Path("k"), "-m", Path("m")}, "mot de passe\n"), 0) << Read("output");
  EXPECT_OK(key.Public().Verify("the plan", Read("m.minisig")));
}

TEST_F(MinisignProgram, MakesKeysInClearThatWeSignWith) {
  ASSERT_EQ(Run({"-G", "-W", "-s", Path("k"), "-p", Path("k.pub")}), 0) << Read("output");
  ASSERT_OK_AND_ASSIGN(const SecretKey key, SecretKey::Parse(Read("k"), ""));
  ASSERT_OK_AND_ASSIGN(const PublicKey public_key, PublicKey::Parse(Read("k.pub")));
  EXPECT_EQ(key.Public().Base64(), public_key.Base64());
  EXPECT_THAT(Read("k.pub"), HasSubstr(AsMinisignWritesIt(public_key.KeyId())));
  Write("m", "the plan");
  Write("m.minisig", key.Sign("the plan", ""));
  EXPECT_EQ(Run({"-V", "-p", Path("k.pub"), "-m", Path("m")}), 0) << Read("output");
  // The key as we write it is the key as minisign wrote it.
  EXPECT_EQ(key.File("")->substr(key.File("")->find('\n')), Read("k").substr(Read("k").find('\n')));
}

TEST_F(MinisignProgram, MakesProtectedKeysThatWeOpen) {
  ASSERT_EQ(Run({"-G", "-s", Path("k"), "-p", Path("k.pub")}, "geheim\ngeheim\n"), 0) << Read("output");
  EXPECT_THAT(SecretKey::Parse(Read("k"), "Geheim"), StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("wrong")));
  ASSERT_OK_AND_ASSIGN(const SecretKey key, SecretKey::Parse(Read("k"), "geheim"));
  EXPECT_EQ(key.Public().Base64(), PublicKey::Parse(Read("k.pub"))->Base64());
}

TEST_F(MinisignProgram, MakesSignaturesThatWeVerify) {
  ASSERT_EQ(Run({"-G", "-W", "-s", Path("k"), "-p", Path("k.pub")}), 0) << Read("output");
  ASSERT_OK_AND_ASSIGN(const PublicKey key, PublicKey::Parse(Read("k.pub")));
  Write("m", "the plan");
  ASSERT_EQ(Run({"-S", "-s", Path("k"), "-m", Path("m"), "-t", "said é"}), 0) << Read("output");
  EXPECT_OK(key.Verify("the plan", Read("m.minisig")));
  ASSERT_EQ(Run({"-S", "-l", "-s", Path("k"), "-m", Path("m"), "-x", Path("legacy")}), 0) << Read("output");
  EXPECT_THAT(key.Verify("the plan", Read("legacy")), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-l")));
}

}  // namespace
}  // namespace reprise::crypto
