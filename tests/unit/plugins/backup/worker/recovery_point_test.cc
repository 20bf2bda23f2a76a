// Recovery points on a disk, judged by real children.
#include "plugins/backup/worker/recovery_point.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "plugins/backup/worker/inventory.h"
#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/backup/bytes.h"
#include "tests/unit/plugins/backup/worker/judge_program.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Prose;
using testing::RandomBytes;

class RecoveryPoint : public ::testing::Test {
 protected:
  RecoveryPoint() {
    std::string place = (fs::temp_directory_path() / "judge-test-XXXXXX").string();
    folder_ = mkdtemp(place.data());
  }
  ~RecoveryPoint() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& content) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return (folder_ / name).string();
  }
  Judgement Judged(const std::string& path, const std::string& program = JudgeProgram(), int silence_ms = 20'000) {
    Pool pool({program, 2, std::chrono::milliseconds(silence_ms)});
    return JudgeRecoveryPoint(path, pool, {});
  }
  Verdict Whole() { return Judged(folder_.string()).verdict; }

  fs::path folder_;
};

TEST_F(RecoveryPoint, AChildOfAnotherBuildIsAnErrorAndNotAnUnreadableFile) {
  Write("a.txt", Prose(3'000));
  const fs::path program = folder_ / "judge-of-old";
  Write("judge-of-old", "#!/bin/sh\nexit 4\n");
  fs::permissions(program, fs::perms::owner_all);
  try {
    Judged(folder_.string(), program.string());
    FAIL() << "judged by a program that does not understand";
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), "foreign_program");
    EXPECT_THAT(error.what(), HasSubstr("judge-of-old"));
  }
}

TEST_F(RecoveryPoint, ALooseFolderIsNeverIntactBecauseSomethingMayBeMissing) {
  Write("a.txt", Prose(3'000));
  Write("b.csv", "a;b\n1;2\n");
  EXPECT_EQ(Whole(), Verdict::kIntactSampled);
}

TEST_F(RecoveryPoint, AListOfChecksumsMakesItIntactAndTellsWhatIsMissingOrChanged) {
  const std::string a = Prose(3'000), b = Prose(5'000);
  Write("a.txt", a);
  Write("sub/b.txt", b);
  Write("SHA256SUMS", sdk::Sha256OfText(a) + "  a.txt\n" + sdk::Sha256OfText(b) + "  ./sub/b.txt\n");
  EXPECT_EQ(Whole(), Verdict::kIntact);
  Write("sub/b.txt", Prose(4'990) + "autre ligne\n");
  EXPECT_EQ(Whole(), Verdict::kCorrupt);
  fs::remove(folder_ / "sub/b.txt");
  const Judgement judgement = Judged(folder_.string());
  EXPECT_EQ(judgement.verdict, Verdict::kPartial);
  EXPECT_THAT(judgement.missing, ElementsAre(HasSubstr("sub/b.txt")));
}

TEST_F(RecoveryPoint, AFileBesideTheListIsNotVouchedFor) {
  const std::string a = Prose(3'000);
  Write("a.txt", a);
  Write("a.txt.sha256", sdk::Sha256OfText(a) + "\n");
  EXPECT_EQ(Whole(), Verdict::kIntact);
  Write("extra.txt", a);
  EXPECT_EQ(Whole(), Verdict::kIntactSampled);
}

TEST_F(RecoveryPoint, OneEncryptedFileAmongSoundOnesIsPartialEncryption) {
  Write("a.txt", Prose(3'000));
  Write("b.csv", RandomBytes(30'000));
  EXPECT_EQ(Whole(), Verdict::kEncryptedPartial);
  fs::remove(folder_ / "a.txt");
  EXPECT_EQ(Whole(), Verdict::kEncryptedTotal);
  Write("HOW_TO_DECRYPT.txt", "All your files have been encrypted. Pay in bitcoin at x.onion\n");
  EXPECT_EQ(Whole(), Verdict::kEncryptedTotal);  // The note is no part of the backup.
}

TEST_F(RecoveryPoint, AnAppendedExtensionCountsWhenManyFilesHaveIt) {
  Write("a.txt.k3jx9q", Prose(3'000));
  EXPECT_EQ(Whole(), Verdict::kIntactSampled);
  Write("b.csv.k3jx9q", "a;b\n1;2\n");
  EXPECT_EQ(Whole(), Verdict::kTampered);
}

TEST_F(RecoveryPoint, NothingIsFollowedOutOfIt) {
  Write("in/a.txt", Prose(3'000));
  fs::create_symlink("/etc", folder_ / "in/etc");
  EXPECT_EQ(InventoryOf(folder_ / "in").jobs.size(), 1U);
}

TEST_F(RecoveryPoint, WhatIsNotThereOrEmptyIsNoGoodNews) {
  EXPECT_EQ(Judged((folder_ / "gone").string()).verdict, Verdict::kUnreadable);
  fs::create_symlink("round", folder_ / "round");  // Nobody can even say what it is.
  EXPECT_EQ(Judged((folder_ / "round" / "point").string()).verdict, Verdict::kUnreadable);
  EXPECT_EQ(Whole(), Verdict::kNotEvaluated);
  Write("a.txt", "");
  EXPECT_EQ(Whole(), Verdict::kNotEvaluated);
}

TEST_F(RecoveryPoint, AChildThatDiesCostsItsJobAndNothingMore) {
  Write("a.txt", Prose(3'000));
  Write("b.txt", Prose(3'000));
  const Judgement judgement = Judged(folder_.string(), "/bin/false");
  EXPECT_EQ(judgement.verdict, Verdict::kNotEvaluated);
  EXPECT_EQ(judgement.facts.files, 2U);
  EXPECT_THAT(judgement.evidence.front().found, HasSubstr("ended with code 1"));
}

TEST_F(RecoveryPoint, AChildThatHangsIsKilled) {
  Write("a.txt", Prose(3'000));
  const std::string program = Write("hangs", "#!/bin/sh\nexec sleep 60\n");
  fs::permissions(program, fs::perms::owner_all);
  const Judgement judgement = Judged((folder_ / "a.txt").string(), program, 300);
  EXPECT_EQ(judgement.verdict, Verdict::kNotEvaluated);
  EXPECT_THAT(judgement.evidence.front().found, HasSubstr("read nothing"));
}

TEST(Manifest, ReadsTheFormsThatAreWritten) {
  const std::string hex(64, 'a');
  const Manifest manifest =
      ParseManifest("sub/SHA256SUMS", hex + "  a.txt\n" + hex + " *b c.bin\nSHA256 (d.txt) = " + hex + "\n# note\n");
  ASSERT_EQ(manifest.files.size(), 3U);
  EXPECT_EQ(manifest.files.count("sub/b c.bin"), 1U);
  EXPECT_THAT(manifest.findings, IsEmpty());
  EXPECT_EQ(ParseManifest("x.tar.sha256", hex + "\n").files.begin()->first, "x.tar");
}

TEST(Manifest, ALineThatIsNoneIsAFindingUnlessItIsSomeOtherText) {
  const std::string hex(64, 'a');
  EXPECT_EQ(ParseManifest("SHA256SUMS", hex + "  a\n" + hex + "  b\nzz" + hex + "  c\n").findings.size(), 1U);
  EXPECT_THAT(ParseManifest("manifest.txt", "Liste des machines\nune\ndeux\n").findings, IsEmpty());
}

}  // namespace
}  // namespace reprise::backup
