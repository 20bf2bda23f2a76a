// process.h, file.h, sha256.h, service.h on real programs and files.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "plugins/sdk/file.h"
#include "plugins/sdk/process.h"
#include "plugins/sdk/service.h"
#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::sdk {
namespace {

using ::testing::HasSubstr;

class HelpersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = std::filesystem::temp_directory_path() / "reprise-sdk-XXXXXX";
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    folder_ = made;
    call_ = std::make_unique<FakeCall>(Json{{"verb", "apply"}, {"work_dir", made}});
    context_ = std::make_unique<Context>(call_->call(), call_->request());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  RunResult Do(const std::vector<std::string>& arguments, const RunOptions& options = {}) {
    return sdk::Run(*context_, arguments, options);
  }

  std::filesystem::path folder_;
  std::unique_ptr<FakeCall> call_;
  std::unique_ptr<Context> context_;
};

TEST_F(HelpersTest, RunsAProgramWithoutAShell) {
  const RunResult result = Do({"printf", "%s|%s", "$HOME", "a b; id"});
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.out, "$HOME|a b; id");
}

TEST_F(HelpersTest, TellsHowAProgramEnded) {
  const RunResult failed = Do({"sh", "-c", "echo no such package >&2; exit 3"});
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_EQ(failed.Why(), "exit code 3: no such package");
  EXPECT_EQ(Do({"sh", "-c", "kill -9 $$"}).signal, 9);
  EXPECT_THROW(RunOrThrow(*context_, {"false"}), Error);
}

TEST_F(HelpersTest, SaysWhichProgramIsMissing) {
  try {
    Do({"no-such-program-here"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "not_found");
    EXPECT_THAT(error.what(), HasSubstr("no-such-program-here"));
  }
}

TEST_F(HelpersTest, GivesInputFolderAndEnvironmentAndNothingElse) {
  setenv("REPRISE_TEST_LEAK", "1", 1);
  RunOptions options;
  options.input = "from above";
  options.environment = {{"COLOUR", "red"}};
  const RunResult result = Do({"sh", "-c", "cat; pwd; echo $COLOUR $REPRISE_TEST_LEAK; ls /proc/self/fd"}, options);
  EXPECT_THAT(result.out, HasSubstr("from above"));
  EXPECT_THAT(result.out, HasSubstr(folder_.filename().string()));
  EXPECT_THAT(result.out, HasSubstr("red\n0\n1\n2\n3\n"));  // 3 is the folder that ls reads.
}

TEST_F(HelpersTest, BoundsTheOutput) {
  RunOptions options;
  options.output_max = 1000;
  const RunResult result = Do({"head", "-c", "1000000", "/dev/zero"}, options);
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(result.truncated);
  EXPECT_EQ(result.out.size(), 1000u);
}

TEST_F(HelpersTest, EndsAProgramThatTakesTooLong) {
  RunOptions options;
  options.timeout = std::chrono::milliseconds(200);
  const auto begin = std::chrono::steady_clock::now();
  const RunResult result = Do({"sleep", "60"}, options);
  EXPECT_TRUE(result.timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_EQ(result.Why(), "took too long");
}

TEST_F(HelpersTest, KillsAProgramThatIgnoresTheRequest) {
  RunOptions options;
  options.timeout = std::chrono::milliseconds(100);
  const RunResult result = Do({"sh", "-c", "trap '' TERM; while true; do sleep 0.05; done"}, options);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGKILL);
}

TEST_F(HelpersTest, EndsAProgramWhenTheVerbIsCancelled) {
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    call_->cancelled = true;
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(Do({"sleep", "60"}), Error);
  later.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1500));
}

TEST_F(HelpersTest, DoesNotWaitForADaemonThatHoldsTheOutput) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(Do({"sh", "-c", "sleep 5 & echo started"}).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
}

TEST_F(HelpersTest, WritesFilesWholeOrNotAtAll) {
  const auto file = folder_ / "file";
  WriteFileAtomically(file, "one", 0600);
  WriteFileAtomically(file, "two", 0640);
  EXPECT_EQ(ReadFile(file), "two");
  struct stat found {};
  stat(file.c_str(), &found);
  EXPECT_EQ(found.st_mode & 0777, 0640u);
  EXPECT_THROW(WriteFileAtomically(folder_ / "nowhere" / "file", "x"), std::system_error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1) << "no temporary file is left";
  EXPECT_TRUE(RemoveFile(file));
  EXPECT_FALSE(RemoveFile(file));
  EXPECT_EQ(ReadFileIfThere(file), std::nullopt);
}

TEST_F(HelpersTest, DoesNotReadFilesWithoutEnd) { EXPECT_THROW(ReadFile("/dev/zero", 1000), Error); }

TEST_F(HelpersTest, HashesTextsAndFiles) {
  EXPECT_EQ(Sha256OfText("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  WriteFileAtomically(folder_ / "file", "abc");
  EXPECT_EQ(Sha256OfFile(folder_ / "file"), Sha256OfText("abc"));
}

TEST_F(HelpersTest, ControlsRunitServices) {
  if (access("/usr/bin/runsvdir", X_OK) != 0) GTEST_SKIP() << "runit is not installed";
  if (std::filesystem::is_directory("/run/systemd/system")) GTEST_SKIP() << "systemd runs this host";
  const auto tree = folder_ / "service";
  std::filesystem::create_directories(tree);
  pid_t runsvdir = fork();
  if (runsvdir == 0) {
    execl("/usr/bin/runsvdir", "runsvdir", tree.c_str(), nullptr);
    _exit(127);
  }
  const Services services(*context_, tree);
  EXPECT_EQ(services.supervisor(), Supervisor::kRunit);
  EXPECT_EQ(services.State("sleeper"), ServiceState::kMissing);
  EXPECT_TRUE(services.InstallRunit("sleeper", "#!/bin/sh\nexec sleep 1000\n"));
  EXPECT_FALSE(services.InstallRunit("sleeper", "#!/bin/sh\nexec sleep 1000\n"));
  services.Start("sleeper");
  EXPECT_EQ(services.State("sleeper"), ServiceState::kRunning);
  services.Restart("sleeper");
  services.Stop("sleeper");
  EXPECT_EQ(services.State("sleeper"), ServiceState::kStopped);
  EXPECT_TRUE(services.RemoveRunit("sleeper"));
  EXPECT_EQ(services.State("sleeper"), ServiceState::kMissing);
  EXPECT_THROW(services.State("../etc"), Error);
  kill(runsvdir, SIGHUP);
  waitpid(runsvdir, nullptr, 0);
}

}  // namespace
}  // namespace reprise::sdk
