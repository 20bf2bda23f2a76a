// A backup that changes or vanishes while it is judged: what was not read is never sound, and the word for it is clear.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "plugins/backup/worker/recovery_point.h"
#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/backup/bytes.h"
#include "tests/unit/plugins/backup/worker/judge_program.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Prose;

class Vanishing : public ::testing::Test {
 protected:
  Vanishing() {
    std::string place = (fs::temp_directory_path() / "vanishing-test-XXXXXX").string();
    folder_ = mkdtemp(place.data());
    fs::create_directory(Point());
  }
  ~Vanishing() override {
    if (mounted_) umount2(Point().c_str(), MNT_DETACH);
    fs::remove_all(folder_);
  }

  fs::path Point() const { return folder_ / "point"; }
  void Write(const std::string& name, const std::string& content) {
    fs::create_directories((Point() / name).parent_path());
    std::ofstream(Point() / name, std::ios::binary) << content;
  }
  // Takes no room on the disk, and its time to be read.
  void WriteHuge(const std::string& name, uint64_t bytes) {
    Write(name, "");
    fs::resize_file(Point() / name, bytes);
  }
  using Deed = std::function<void()>;
  // `listed` is done when the point was listed and nothing read yet; `reading` once some of it has been read.
  Judgement Judged(const Deed& listed, const Deed& reading = nullptr) {
    Pool pool({JudgeProgram(), 2, std::chrono::seconds(20)});
    JudgeOptions options;
    options.manifest = true;
    Steps steps;
    steps.begin = [&](const std::string&, uint64_t) {
      if (listed) listed();
    };
    bool done = false;
    steps.read = [&](uint64_t bytes) {
      if (bytes == 0 || done || !reading) return;
      done = true;
      reading();
    };
    Judgement judgement = JudgeRecoveryPoint(Point().string(), pool, steps, options);
    EXPECT_TRUE(done || !reading) << "it was never in the middle";
    return judgement;
  }

  fs::path folder_;
  bool mounted_ = false;
};

void ExpectUnreadable(const Judgement& judgement, const ::testing::Matcher<std::string>& found) {
  EXPECT_EQ(judgement.verdict, Verdict::kUnreadable);
  EXPECT_THAT(judgement.manifest_sha256, IsEmpty());  // Nothing may be restored that was not read.
  ASSERT_FALSE(judgement.evidence.empty());
  EXPECT_EQ(judgement.evidence.front().sign, Sign::kUnreadable);
  EXPECT_THAT(judgement.evidence.front().found, found);
}

TEST_F(Vanishing, AFileThatIsGoneBeforeItIsReadIsUnreadable) {
  Write("a.txt", Prose(3'000));
  Write("b.txt", Prose(3'000));
  const Judgement judgement = Judged([this] { fs::remove(Point() / "b.txt"); });
  ExpectUnreadable(judgement, HasSubstr("No such file"));
  EXPECT_EQ(judgement.evidence.front().file, "b.txt");
  EXPECT_EQ(judgement.facts.files, 2U);
}

TEST_F(Vanishing, AFileThatIsAnotherThanTheOneThatWasListedIsNotTakenForIt) {
  Write("a.txt", Prose(3'000));
  const Judgement judgement = Judged([this] { Write("a.txt", Prose(9'000)); });
  ExpectUnreadable(judgement, HasSubstr("changed after it was listed"));
}

TEST_F(Vanishing, WhatTookAFilesPlaceIsNotRead) {
  Write("a.txt", Prose(3'000));
  const Judgement judgement = Judged([this] {
    fs::remove(Point() / "a.txt");
    fs::create_symlink("/etc/passwd", Point() / "a.txt");
  });
  ExpectUnreadable(judgement, HasSubstr("symbolic link"));
}

TEST_F(Vanishing, AFileThatIsCutWhileItIsReadIsUnreadable) {
  WriteHuge("volume.bin", uint64_t{2} << 30);
  const Judgement judgement = Judged(nullptr, [this] { fs::resize_file(Point() / "volume.bin", 8 << 20); });
  ExpectUnreadable(judgement, AnyOf(HasSubstr("became shorter"), HasSubstr("changed")));
}

TEST_F(Vanishing, AFolderThatGoesInTheMiddleLeavesWhatWasNotReadUnreadable) {
  for (int i = 0; i < 64; ++i) WriteHuge("volume-" + std::to_string(i) + ".bin", 32 << 20);
  const Judgement judgement = Judged(nullptr, [this] { fs::remove_all(Point()); });
  ExpectUnreadable(judgement, HasSubstr("No such file"));
  EXPECT_EQ(judgement.facts.files, 64U);
}

TEST_F(Vanishing, ADiskThatIsTakenAwayInTheMiddleLeavesWhatWasNotReadUnreadable) {
  if (geteuid() != 0 || mount("none", Point().c_str(), "tmpfs", MS_NODEV | MS_NOSUID, "size=64m") != 0) {
    GTEST_SKIP() << "needs the right to mount";
  }
  mounted_ = true;
  for (int i = 0; i < 64; ++i) WriteHuge("sub/volume-" + std::to_string(i) + ".bin", 32 << 20);
  const Judgement judgement = Judged(nullptr, [this] {
    EXPECT_EQ(umount2(Point().c_str(), MNT_DETACH), 0);
    mounted_ = false;
  });
  ExpectUnreadable(judgement, HasSubstr("No such file"));
}

TEST_F(Vanishing, NoDiskIsHeldWhenThePointIsJudged) {
  if (geteuid() != 0 || mount("none", Point().c_str(), "tmpfs", MS_NODEV | MS_NOSUID, "size=64m") != 0) {
    GTEST_SKIP() << "needs the right to mount";
  }
  mounted_ = true;
  Write("sub/a.txt", Prose(3'000));
  Pool pool({JudgeProgram(), 2, std::chrono::seconds(20)});  // Its children wait for the next point.
  EXPECT_EQ(JudgeRecoveryPoint(Point().string(), pool, {}).verdict, Verdict::kIntactSampled);
  mounted_ = umount2(Point().c_str(), 0) != 0;
  EXPECT_FALSE(mounted_) << std::strerror(errno);
}

// Files of a large folder are not asked for their size one by one: what is said of them is what was read.
TEST_F(Vanishing, OfVeryManyFilesTheManifestHasWhatWasRead) {
  sdk::Sha256 manifest;
  std::map<std::string, std::string> files;
  for (int i = 0; i < 700; ++i) {
    files["many/" + std::to_string(1000 + i) + ".txt"] = Prose(40 + static_cast<size_t>(i) * 7) + std::to_string(i) + "\n";
  }
  for (const auto& [name, content] : files) {
    Write(name, content);
    manifest.Update(sdk::ManifestLine({name, sdk::Sha256OfText(content), content.size()}));
  }
  const auto newest = fs::file_time_type::clock::now() + std::chrono::hours(1);
  fs::last_write_time(Point() / "many/1333.txt", newest);
  const Judgement judgement = Judged(nullptr);
  EXPECT_EQ(judgement.verdict, Verdict::kIntactSampled);
  EXPECT_EQ(judgement.manifest_sha256, manifest.Hex());
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  EXPECT_NEAR(static_cast<double>(judgement.newest_unix_ms - now.count()), 3'600'000, 60'000);
}

}  // namespace
}  // namespace reprise::backup
