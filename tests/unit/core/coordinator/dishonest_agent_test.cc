// An agent whose host is in other hands, with good papers: it reads nothing of its stream, or says what nobody could read
// back. What waits for it is bounded, and what it said is never in the way of others.
#include <chrono>
#include <thread>

#include "core/coordinator/progress_board.h"
#include "core/journal/verify.h"
#include "tests/unit/core/coordinator/site.h"

namespace reprise::coordinator::testing {
namespace {

using agent::v1::CoordinatorMessage;
using ::testing::HasSubstr;

constexpr size_t kParamsBytes = 3 << 20;
// Beyond what the coordinator keeps (32 MiB) and what gRPC has on its way at most (16 MiB).
constexpr int kMessages = 24;

// A dry run asks each host for it in one message, however large.
struct LargeDryRun {
  explicit LargeDryRun(const Site& site) : stub(site.As("bob")) {
    engine_testing::PlanDraft draft(site.people);
    plan::v1::Step& step = draft.AddStep(draft.AddStage("protect", {2}), "install");
    step.set_params_json(nlohmann::json{{"text", std::string(kParamsBytes, 'x')}}.dump());
    *request.mutable_bundle() = draft.Bundle();
    request.set_timeout_ms(1);
  }
  void Ask() {
    grpc::ClientContext context;
    const auto reader = stub->PreviewPlan(&context, request);
    for (ops::HostPreview preview; reader->Read(&preview);) {
    }
    const grpc::Status status = reader->Finish();
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  std::unique_ptr<ops::OperatorService::Stub> stub;
  ops::PreviewPlanRequest request;
};

TEST(Coordinator, CutsAStreamThatIsNeverReadAndServesTheOthersMeanwhile) {
  Site site;
  site.Declare("ws-001");
  site.Declare("ws-002");
  const auto first = site.Enrol("ws-001"), second = site.Enrol("ws-002");
  Agent deaf(site, first), reading(site, second);
  ASSERT_TRUE(deaf.Next(CoordinatorMessage::kWelcome));
  ASSERT_TRUE(reading.Next(CoordinatorMessage::kWelcome));
  LargeDryRun dry_run(site);
  for (int i = 0; i < kMessages; ++i) {
    dry_run.Ask();
    const auto heard = reading.Next(CoordinatorMessage::kPreview);
    ASSERT_TRUE(heard) << "who reads is told everything; message " << i;
    EXPECT_GT(heard->preview().steps(0).params_json().size(), kParamsBytes);
  }
  ops::HostRequest ask;
  ask.set_host("ws-001");
  const auto counts = [&] { return site.Call("alice", &ops::OperatorService::Stub::GetHost, ask).connected(); };
  for (int i = 0; i < 500 && counts(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(counts()) << "what is sent to it would be lost";
  // Begins to read at last: some was on its way, and then it is over.
  int came = 0;
  while (deaf.Next(CoordinatorMessage::kPreview)) ++came;
  EXPECT_LT(came, kMessages);
  const grpc::Status status = deaf.Finish();
  EXPECT_EQ(status.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("too much waits to be read"));

  Agent back(site, first);
  EXPECT_TRUE(back.Next(CoordinatorMessage::kWelcome)) << "it may come again";
  dry_run.Ask();
  EXPECT_TRUE(back.Next(CoordinatorMessage::kPreview));
  EXPECT_TRUE(reading.Next(CoordinatorMessage::kPreview));
}

// Where a text is cut, half a character may be left: that is no text, and no message that holds one can be read.
TEST(Coordinator, StartsAgainAndAnswersPeopleWhateverAHostCallsItself) {
  Site site;
  site.Declare("ws-001");
  agent::v1::Hello hello;
  hello.set_agent_version(std::string(63, 'x') + "é");
  {
    Agent agent(site, site.Enrol("ws-001"), hello);
    ASSERT_TRUE(agent.Next(CoordinatorMessage::kWelcome));
  }
  EXPECT_EQ(site.Call("alice", &ops::OperatorService::Stub::ListHosts, ops::ListHostsRequest()).hosts_size(), 1);
  EXPECT_TRUE(site.last.ok()) << site.last.error_message();
  site.Stop();
  const auto report = journal::VerifyJournal(site.folder.Journal(), {});
  ASSERT_OK(report);
  EXPECT_TRUE(report->ok()) << report->faults.front().what;
  const auto again = Coordinator::Start({site.folder.path(), "", "", ""}, site.clock, site.random);
  EXPECT_OK(again);
}

TEST(ProgressBoard, ShowsNothingThatCannotBeRead) {
  ProgressBoard board;
  agent::v1::Progress progress;
  progress.mutable_key()->set_run(7);
  progress.mutable_key()->set_attempt(1);
  progress.set_text(std::string(499, 'x') + "é");
  board.Heard("ws-001", progress);
  ops::RunView run;
  run.set_id(7);
  run.add_stages()->set_name("protect");
  auto& target = *run.add_targets();
  target.set_host("ws-001");
  target.set_stage("protect");
  target.set_state(model::v1::TARGET_STATE_ACTIVE);
  target.set_attempt(1);
  board.ShowIn(run);
  ASSERT_TRUE(target.has_progress());
  EXPECT_TRUE(ops::RunView().ParseFromString(run.SerializeAsString()));
}

}  // namespace
}  // namespace reprise::coordinator::testing
