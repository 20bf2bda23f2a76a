// What a verb cannot do, tried by a plugin that tries.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

#include "agents/runner/sandbox.h"
#include "tests/unit/agents/runner/bench_of_plugins.h"

namespace reprise::runner {
namespace {

using agents::VerbEnd;
using model::v1::VERB_APPLY;
using model::v1::VERB_PLAN;
using model::v1::VERB_PROBE;
using model::v1::VERB_VERIFY;
using ::testing::HasSubstr;

class ConfinementTest : public BenchOfPlugins {};

TEST_F(ConfinementTest, VerbsThatLookCannotWrite) {
  if (!Sandboxed()) GTEST_SKIP() << "needs bubblewrap";
  for (const model::v1::Verb verb : {VERB_PROBE, VERB_PLAN, VERB_VERIFY}) {
    const agents::VerbResult result = Run(verb, {{"mode", "meddle"}, {"at", "any"}});
    EXPECT_EQ(result.code, "system");
    EXPECT_THAT(result.message, HasSubstr("Read-only file system"));
  }
  EXPECT_FALSE(std::filesystem::exists(State()));
  if (geteuid() == 0) {
    Run(VERB_PROBE, {{"mode", "meddle"}, {"at", "any"}, {"state_file", "/etc/reprise-meddled"}});
    EXPECT_FALSE(std::filesystem::exists("/etc/reprise-meddled"));
  }
}

TEST_F(ConfinementTest, VerbsThatLookSeeTheKernelsSettingsReadOnly) {
  Sandbox sandbox;
  sandbox.work_dir = folder_;
  const auto arguments = SandboxArguments(sandbox);
  const std::vector<std::string> proc = {"--proc", "/proc"}, sys = {"--ro-bind", "/proc/sys", "/proc/sys"};
  const auto mounted = std::search(arguments.begin(), arguments.end(), proc.begin(), proc.end());
  EXPECT_NE(std::search(mounted, arguments.end(), sys.begin(), sys.end()), arguments.end());
}

TEST_F(ConfinementTest, OnlyAnActionThatDeclaresItSeesTheHostsProcesses) {
  const auto has = [](const std::vector<std::string>& arguments, const char* word) {
    return std::find(arguments.begin(), arguments.end(), word) != arguments.end();
  };
  for (const bool writes : {false, true}) {
    Sandbox sandbox{.writes = writes, .work_dir = folder_};
    EXPECT_TRUE(has(SandboxArguments(sandbox), "--unshare-pid"));
    sandbox.processes = true;
    const auto arguments = SandboxArguments(sandbox);
    EXPECT_FALSE(has(arguments, "--unshare-pid"));
    EXPECT_FALSE(has(arguments, "--proc"));
    // Nothing else of the confinement is given up for it.
    EXPECT_TRUE(has(arguments, "--die-with-parent"));
    EXPECT_TRUE(has(arguments, "--unshare-net"));
    if (writes || geteuid() != 0) continue;
    EXPECT_TRUE(has(arguments, "CAP_KILL"));
    EXPECT_TRUE(has(arguments, "CAP_SYS_ADMIN"));
    EXPECT_FALSE(has(arguments, "CAP_SYS_PTRACE"));
  }
}

TEST_F(ConfinementTest, RunsNothingThatGoesBeyondWhatPeopleSignedFor) {
  auto request = Request(VERB_APPLY, json::object(), "destroy");
  request.effect_max = model::v1::EFFECT_CHANGE;
  const agents::VerbResult result = Run(request);
  EXPECT_EQ(result.end, VerbEnd::kRefused);
  EXPECT_EQ(result.code, "effect");
  request = Request(VERB_APPLY, json::object(), "destroy");
  request.effect_max = model::v1::EFFECT_DESTROY;
  EXPECT_EQ(Run(request).end, VerbEnd::kDone);
}

TEST_F(ConfinementTest, ApplyOfAnActionThatOnlyReadsCannotWriteEither) {
  if (!Sandboxed()) GTEST_SKIP() << "needs bubblewrap";
  Run(VERB_PROBE, {{"mode", "meddle"}, {"at", "any"}}, "look");
  EXPECT_FALSE(std::filesystem::exists(State()));
}

TEST_F(ConfinementTest, ApplyWritesTheRealFileSystem) {
  EXPECT_EQ(Run(VERB_APPLY).end, VerbEnd::kDone);
  EXPECT_EQ(Slurp(State()), "reprise\n");
}

TEST_F(ConfinementTest, NoVerbMakesTheCallsThatAreRefused) {
  const agents::VerbResult applied = Run(VERB_APPLY, {{"mode", "forbidden"}});
  EXPECT_EQ(applied.code, "all_refused") << applied.message;
  const agents::VerbResult probed = Run(VERB_PROBE, {{"mode", "forbidden"}, {"at", "probe"}});
  EXPECT_EQ(probed.code, "all_refused") << probed.message;
}

TEST_F(ConfinementTest, HoldsWithoutBubblewrapWhatItCan) {
  options_.bubblewrap = false;
  EXPECT_FALSE(Sandboxed());
  EXPECT_EQ(Run(VERB_APPLY).end, VerbEnd::kDone);
  EXPECT_EQ(Run(VERB_APPLY, {{"mode", "forbidden"}}).code, "all_refused");
  EXPECT_EQ(Run(VERB_APPLY, {{"mode", "crash"}}).end, VerbEnd::kCrashed);
  const auto running = Start(Request(VERB_APPLY, {{"mode", "ignore_term"}}));
  ASSERT_TRUE(Eventually([] { return CountNamed("mock-deaf") > 0; }));
  runner().Kill(next_id_ - 1);
  EXPECT_EQ(running->Wait().end, VerbEnd::kCancelled);
  EXPECT_TRUE(Eventually([] { return CountNamed("mock-deaf") == 0; }));
}

TEST_F(ConfinementTest, NoPluginSeesTheAgentsOwnFolder) {
  std::filesystem::create_directories(folder_ / "state");
  std::ofstream(folder_ / "state" / "agent.key") << "secret";
  options_.hidden = {folder_ / "state"};
  options_.work = folder_ / "state" / "work";
  if (!Sandboxed()) GTEST_SKIP() << "needs bubblewrap";
  const json seen = json::parse(Run(VERB_PROBE, {{"state_file", folder_ / "state" / "agent.key"}}, "look").result_json);
  EXPECT_FALSE(seen.at("holds"));
  EXPECT_EQ(Run(VERB_APPLY, {{"state_file", folder_ / "state" / "agent.key"}}).end, VerbEnd::kDone);
  EXPECT_EQ(Slurp(folder_ / "state" / "agent.key"), "secret");
}

TEST_F(ConfinementTest, AnActionThatDeclaresNoNetworkHasNone) {
  if (!Sandboxed()) GTEST_SKIP() << "needs bubblewrap";
  const json own = json::parse(Run(VERB_PROBE, {{"state_file", "/proc/net/dev"}}, "look").result_json);
  // Two lines of heading and lo; the rest of this machine's interfaces are not there.
  const std::string text = own.at("evidence").at(0).at("text");
  EXPECT_THAT(text, HasSubstr("Inter-"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("eth")));
}

// The agent is killed with SIGKILL in the middle of a verb: nothing of the verb outlives it by more than a moment.
void KillTheAgent(const ProcessRunnerOptions& options, const agents::VerbRequest& request) {
  const pid_t agent = fork();
  ASSERT_GE(agent, 0);
  if (agent == 0) {
    auto runner = ProcessRunner::Create(options);
    if (!runner.ok()) _exit(1);
    (*runner)->Start(request, {}, [](agents::VerbResult) {});
    for (;;) pause();
  }
  ASSERT_TRUE(Eventually([] { return CountNamed("mock-deaf") > 0; }));
  kill(agent, SIGKILL);
  waitpid(agent, nullptr, 0);
  EXPECT_TRUE(ProcessRunner::Create(options).ok()) << "waits until the old life's processes are gone";
  EXPECT_TRUE(Eventually([] { return CountNamed("mock-deaf") == 0; }, std::chrono::seconds(1)));
}

TEST_F(ConfinementTest, VerbsDieWithTheirAgent) {
  KillTheAgent(options_, Request(VERB_APPLY, {{"mode", "ignore_term"}}));
}

TEST_F(ConfinementTest, VerbsDieWithTheirAgentWithoutBubblewrapToo) {
  options_.bubblewrap = false;
  KillTheAgent(options_, Request(VERB_APPLY, {{"mode", "ignore_term"}}));
}

}  // namespace
}  // namespace reprise::runner
