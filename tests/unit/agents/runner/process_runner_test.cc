// Verbs on real processes: what they return, how they go wrong, what is left of them.
#include "agents/runner/process_runner.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <future>

#include "tests/unit/agents/runner/bench_of_plugins.h"

namespace reprise::runner {
namespace {

using agents::VerbEnd;
using model::v1::VERB_APPLY;
using model::v1::VERB_PLAN;
using model::v1::VERB_PROBE;
using model::v1::VERB_ROLLBACK;
using model::v1::VERB_VERIFY;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ProcessRunnerTest : public BenchOfPlugins {};

TEST_F(ProcessRunnerTest, RunsTheWholeCourseOfAnHonestAction) {
  EXPECT_FALSE(json::parse(Run(VERB_PROBE).result_json).at("holds"));
  EXPECT_EQ(json::parse(Run(VERB_PLAN).result_json).at("changes").size(), 1u);
  EXPECT_TRUE(json::parse(Run(VERB_APPLY, {{"witness", Witness()}}).result_json).at("changed"));
  EXPECT_EQ(Slurp(State()), "reprise\n");
  EXPECT_TRUE(json::parse(Run(VERB_PROBE).result_json).at("holds"));
  EXPECT_TRUE(json::parse(Run(VERB_VERIFY).result_json).at("holds"));
  EXPECT_FALSE(json::parse(Run(VERB_APPLY, {{"witness", Witness()}}).result_json).at("changed"));
  EXPECT_THAT(Slurp(Witness()), HasSubstr("ws-001 1 "));
  EXPECT_EQ(Run(VERB_ROLLBACK).end, VerbEnd::kDone);
  EXPECT_FALSE(std::filesystem::exists(State()));
}

TEST_F(ProcessRunnerTest, MeasuresTheTimeToThePluginsFirstInstruction) {
  Run(VERB_PROBE);
  const agents::VerbResult result = Run(VERB_PROBE);
  EXPECT_GT(result.start_delay_us, 100);
  EXPECT_LT(result.start_delay_us, 5'000'000);
}

TEST_F(ProcessRunnerTest, HandsProgressOn) {
  const auto running = Start(Request(VERB_APPLY, {{"mode", "slow"}, {"slow_ms", 200}}));
  EXPECT_EQ(running->Wait().end, VerbEnd::kDone);
  ASSERT_THAT(running->progress(), Not(IsEmpty()));
  EXPECT_EQ(running->progress()[0].text, "slowly");
}

TEST_F(ProcessRunnerTest, HandsAPluginsOwnErrorOn) {
  const agents::VerbResult result = Run(VERB_APPLY, {{"mode", "fail"}});
  EXPECT_EQ(result.end, VerbEnd::kError);
  EXPECT_EQ(result.code, "mock_failed");
  EXPECT_EQ(result.message, "told to fail");
  EXPECT_EQ(result.hint, "mode: ok lets apply pass");
}

TEST_F(ProcessRunnerTest, CallsASegmentationFaultACrash) {
  const agents::VerbResult result = Run(VERB_APPLY, {{"mode", "crash"}});
  EXPECT_EQ(result.end, VerbEnd::kCrashed);
  EXPECT_THAT(result.message, HasSubstr("signal 11"));
  EXPECT_EQ(Run(VERB_PROBE).end, VerbEnd::kDone) << "the runner goes on";
}

TEST_F(ProcessRunnerTest, CallsAnExitWithoutAnAnswerACrash) {
  const agents::VerbResult result = Run(VERB_APPLY, {{"mode", "exit"}});
  EXPECT_EQ(result.end, VerbEnd::kCrashed);
  EXPECT_THAT(result.message, HasSubstr("exit status 0"));
}

TEST_F(ProcessRunnerTest, BoundsTheMemoryOfAPluginThatLeaks) {
#ifdef REPRISE_SANITIZED
  GTEST_SKIP() << "a sanitizer's process cannot have its address space limited";
#endif
  const agents::VerbResult result = Run(VERB_APPLY, {{"mode", "leak"}});
  EXPECT_THAT(result.end, ::testing::AnyOf(VerbEnd::kError, VerbEnd::kCrashed));
  if (result.end == VerbEnd::kError) {
    EXPECT_EQ(result.code, "out_of_memory");
  }
}

TEST_F(ProcessRunnerTest, RefusesAResultThatIsTooLargeWhateverIsSaidBesides) {
  const auto running = Start(Request(VERB_APPLY, {{"mode", "huge"}}));
  const agents::VerbResult result = running->Wait();
  EXPECT_EQ(result.end, VerbEnd::kError);
  EXPECT_EQ(result.code, "bad_result");
  for (const agents::VerbProgress& progress : running->progress()) EXPECT_LE(progress.text.size(), 512u);
  EXPECT_LT(running->progress().size(), 200u);
}

TEST_F(ProcessRunnerTest, DoesNotHideALie) {
  EXPECT_TRUE(json::parse(Run(VERB_APPLY, {{"mode", "lie"}}).result_json).at("changed"));
  EXPECT_FALSE(json::parse(Run(VERB_VERIFY, {{"mode", "lie"}}).result_json).at("holds"));
}

TEST_F(ProcessRunnerTest, KillsAVerbThatHangsTwoSecondsAfterItsDeadline) {
  Run(VERB_PROBE);  // Its plugin is described by now.
  agents::VerbRequest request = Request(VERB_APPLY, {{"mode", "hang"}});
  request.deadline = SystemClock().Now() + 2000;
  const agents::VerbResult result = Run(request);
  const int64_t after_ms = SystemClock().Now() - request.deadline;
  EXPECT_EQ(result.end, VerbEnd::kTimedOut);
  EXPECT_GE(after_ms, 1900);
  EXPECT_LT(after_ms, 9500);
}

TEST_F(ProcessRunnerTest, EndsAVerbThatListensLongBeforeItWouldBeKilled) {
  const auto running = Start(Request(VERB_APPLY, {{"mode", "slow"}, {"slow_ms", 60'000}}));
  ASSERT_TRUE(running->WaitForProgress());
  const auto begin = std::chrono::steady_clock::now();
  runner().Kill(next_id_ - 1);
  EXPECT_EQ(running->Wait().end, VerbEnd::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1500));
}

TEST_F(ProcessRunnerTest, KillsAVerbAndItsChildThatIgnoreTerm) {
  const auto running = Start(Request(VERB_APPLY, {{"mode", "ignore_term"}}));
  ASSERT_TRUE(Eventually([] { return CountNamed("mock-deaf") > 0; }));
  runner().Kill(next_id_ - 1);
  EXPECT_EQ(running->Wait().end, VerbEnd::kCancelled);
  EXPECT_EQ(CountNamed("mock-deaf"), 0);
}

TEST_F(ProcessRunnerTest, LeavesNoGrandchildBehind) {
  if (!Sandboxed()) GTEST_SKIP() << "needs bubblewrap: children that leave their group are found by namespace only";
  EXPECT_EQ(Run(VERB_APPLY, {{"mode", "fork_bomb_small"}}).end, VerbEnd::kDone);
  EXPECT_EQ(CountNamed("mock-orphan"), 0) << "all are gone when on_end is called";
}

TEST_F(ProcessRunnerTest, ANewRunnerKillsWhatTheOldOneRanAndSaysSo) {
  const auto running = Start(Request(VERB_APPLY, {{"mode", "hang"}}));
  ASSERT_TRUE(Eventually([] { return CountNamed("reprise-plugin-") > 0; }));
  runner_.reset();
  EXPECT_EQ(running->Wait().end, VerbEnd::kCancelled);
  EXPECT_EQ(Run(VERB_PROBE).end, VerbEnd::kDone);
}

TEST_F(ProcessRunnerTest, RefusesALibraryWithOneByteChanged) {
  const std::filesystem::path file = folder_ / "cache" / ToHex(mock_);
  std::string content = Slurp(file);
  content[content.size() / 2] ^= 1;
  std::ofstream(file, std::ios::binary) << content;
  const agents::VerbResult result = Run(VERB_APPLY);
  EXPECT_EQ(result.end, VerbEnd::kRefused);
  EXPECT_THAT(result.message, HasSubstr("is not what its name says"));
  EXPECT_FALSE(std::filesystem::exists(State()));
}

TEST_F(ProcessRunnerTest, RunsTheContentThatItHashedEvenIfTheFileIsSwappedAfterwards) {
  EXPECT_EQ(Run(VERB_PROBE).end, VerbEnd::kDone);
  std::ofstream(folder_ / "cache" / ToHex(mock_), std::ios::binary) << "no library at all";
  EXPECT_EQ(Run(VERB_PROBE).end, VerbEnd::kDone);
}

TEST_F(ProcessRunnerTest, RefusesWhatIsNoPlugin) {
  agents::VerbRequest request = Request(VERB_PROBE, json::object());
  request.plugin_sha256 = AddContent("not a library");
  EXPECT_EQ(Run(request).end, VerbEnd::kRefused);
  request.id = next_id_++;
  request.plugin_sha256 = crypto::Sha256("never fetched");
  EXPECT_THAT(Run(request).message, HasSubstr("is not in the cache"));
  request.id = next_id_++;
  request.plugin_sha256 = Add("/usr/lib/x86_64-linux-gnu/libz.so.1");
  EXPECT_THAT(Run(request).message, HasSubstr("not a plugin of Reprise"));
}

TEST_F(ProcessRunnerTest, RefusesAnActionThatThePluginDoesNotHave) {
  EXPECT_EQ(Run(VERB_PROBE, json::object(), "format_disk").code, "unknown_action");
}

TEST_F(ProcessRunnerTest, RefusesParametersThatTheActionDoesNotKnow) {
  EXPECT_EQ(Run(VERB_PROBE, {{"nonsense", 1}}).code, "bad_params");
  agents::VerbRequest request = Request(VERB_PROBE, json::object());
  request.params_json = "[1,2";
  EXPECT_EQ(Run(request).code, "bad_params");
}

TEST_F(ProcessRunnerTest, GivesArtifactsByNameAndFailsWithoutThem) {
  agents::VerbRequest request = Request(VERB_PROBE, json::object());
  request.artifacts = {{"clamav.deb", crypto::Sha256("never fetched")}};
  EXPECT_EQ(Run(request).code, "artifact_missing");
  request.id = next_id_++;
  request.artifacts = {{"clamav.deb", AddContent("a package")}};
  EXPECT_EQ(Run(request).end, VerbEnd::kDone);
}

TEST_F(ProcessRunnerTest, RunsManyVerbsAtOnce) {
  std::vector<std::shared_ptr<Running>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(Start(Request(VERB_APPLY, {{"state_file", State() + std::to_string(i)}, {"witness", Witness()}})));
  }
  for (const auto& running : all) EXPECT_EQ(running->Wait().end, VerbEnd::kDone);
  const std::string lines = Slurp(Witness());
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 20);
}

TEST_F(ProcessRunnerTest, RefusesASecondVerbWithTheSameId) {
  const agents::VerbRequest request = Request(VERB_APPLY, {{"mode", "slow"}, {"slow_ms", 60'000}});
  const auto first = Start(request);
  ASSERT_TRUE(first->WaitForProgress());
  EXPECT_EQ(Run(request).code, "busy");
  runner().Kill(request.id);
  EXPECT_EQ(first->Wait().end, VerbEnd::kCancelled);
}

TEST_F(ProcessRunnerTest, LeavesNoScratchFolderBehind) {
  Run(VERB_PROBE);
  Run(VERB_APPLY, {{"mode", "crash"}});
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "work")) {
    EXPECT_EQ(entry.path().filename(), ".alive");
  }
}

TEST_F(ProcessRunnerTest, DescribesAPlugin) {
  std::promise<absl::StatusOr<std::string>> described;
  runner().Describe(mock_, [&](absl::StatusOr<std::string> text) { described.set_value(std::move(text)); });
  const absl::StatusOr<std::string> text = described.get_future().get();
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(json::parse(*text).at("name"), "mock");
  EXPECT_EQ(json::parse(*text).at("actions").size(), 4u);
}

TEST_F(ProcessRunnerTest, SaysWhichFileIsMissing) {
  options_.plugin_host = folder_ / "nowhere";
  const auto made = ProcessRunner::Create(options_);
  EXPECT_EQ(made.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(made.status().message()), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace reprise::runner
