// A judge that was killed goes on where it was, and never trusts a record of a file that changed.
#include "plugins/backup/worker/resume.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "plugins/backup/worker/recovery_point.h"
#include "tests/unit/plugins/backup/bytes.h"
#include "tests/unit/plugins/backup/worker/judge_program.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Prose;

struct Stopped {};

class ResumeTest : public ::testing::Test {
 protected:
  ResumeTest() {
    std::string place = (fs::temp_directory_path() / "resume-test-XXXXXX").string();
    folder_ = mkdtemp(place.data());
    for (int i = 0; i < 200; ++i) Write("point/" + std::to_string(i) + ".txt", Prose(2'000) + std::to_string(i) + "\n");
  }
  ~ResumeTest() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& content) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  // Stops after so many outcomes, as a kill would; 0: goes to the end.
  Judgement Judged(int stop_after_reads = 0, const sdk::Manifest* expected = nullptr) {
    words_.clear();
    Resume resume(State(), JudgeProgram(), [this](const std::string& word) { words_.push_back(word); });
    Pool pool({JudgeProgram(), 2, std::chrono::seconds(20)});
    JudgeOptions options;
    options.manifest = true;
    options.resume = &resume;
    options.expected = expected;
    Steps steps;
    int reads = 0;
    steps.read = [&](uint64_t bytes) {
      if (bytes > 0 && stop_after_reads > 0 && ++reads >= stop_after_reads) throw Stopped();
    };
    return JudgeRecoveryPoint((folder_ / "point").string(), pool, steps, options);
  }
  fs::path State() const { return folder_ / "state"; }

  fs::path folder_;
  std::vector<std::string> words_;
};

TEST_F(ResumeTest, GoesOnWhereItWasAndGivesTheSame) {
  const Judgement whole = Judged();
  EXPECT_EQ(whole.resumed, 0u);
  fs::remove(State());
  EXPECT_THROW(Judged(1), Stopped);
  const Judgement resumed = Judged();
  EXPECT_GT(resumed.resumed, 0u);
  EXPECT_EQ(resumed.manifest_sha256, whole.manifest_sha256);
  EXPECT_EQ(resumed.verdict, whole.verdict);
  EXPECT_EQ(resumed.facts.files, 200u);
  EXPECT_EQ(Judged().resumed, 200u);
  EXPECT_THAT(words_, IsEmpty());
}

TEST_F(ResumeTest, AFileThatChangedIsJudgedAgain) {
  const Judgement before = Judged();
  const fs::path file = folder_ / "point/7.txt";
  const auto time = fs::last_write_time(file);
  std::string content = Prose(2'000) + "7\n";
  content[5] = 'X';
  Write("point/7.txt", content);
  fs::last_write_time(file, time);  // The change time cannot be set back.
  const Judgement after = Judged();
  EXPECT_EQ(after.resumed, 199u);
  EXPECT_NE(after.manifest_sha256, before.manifest_sha256);
}

TEST_F(ResumeTest, ADamagedRecordIsIgnoredWithAWord) {
  Judged();
  std::string text = sdk::ReadFile(State());
  text[text.size() / 2] ^= 1;
  std::ofstream(State(), std::ios::binary | std::ios::trunc) << text;
  EXPECT_EQ(Judged().resumed, 199u);
  EXPECT_THAT(words_, ElementsAre(HasSubstr("1 records are damaged")));
}

TEST_F(ResumeTest, ACutRecordIsOneThatWasBeingWritten) {
  Judged();
  fs::resize_file(State(), fs::file_size(State()) - 10);
  EXPECT_EQ(Judged().resumed, 199u);
  EXPECT_EQ(Judged().resumed, 200u);
  EXPECT_THAT(words_, IsEmpty());
}

TEST_F(ResumeTest, AnythingElseIsIgnoredWithAWord) {
  Write("state", "not a state\nof any judge\n");
  EXPECT_EQ(Judged().resumed, 0u);
  EXPECT_THAT(words_, ElementsAre(HasSubstr("is ignored")));
  EXPECT_EQ(Judged().resumed, 200u);
}

TEST_F(ResumeTest, AnotherExpectationIsAnotherQuestion) {
  const Judgement judged = Judged();
  sdk::Manifest expected;
  expected.files = judged.manifest;
  const Judgement against = Judged(0, &expected);
  EXPECT_EQ(against.resumed, 0u);
  EXPECT_EQ(against.verdict, Verdict::kIntact);
  expected.files[3].sha256 = std::string(64, '0');
  EXPECT_EQ(Judged(0, &expected).verdict, Verdict::kCorrupt);
}

TEST_F(ResumeTest, TwoJudgesDoNotWriteToOneFile) {
  const Resume first(State(), JudgeProgram(), [](const std::string&) {});
  EXPECT_THROW(Resume(State(), JudgeProgram(), [](const std::string&) {}), std::system_error);
}

}  // namespace
}  // namespace reprise::backup
