// Over real connections: what would be too great for the one who is told. An agent is not cut off by it, and a person reads
// an answer whatever was asked.
#include "core/coordinator/status.h"
#include "tests/unit/core/coordinator/site.h"

namespace reprise::coordinator::testing {
namespace {

using agent::v1::CoordinatorMessage;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A step may name the same file again and again; spelled out for a dry run, each is some fifty bytes.
constexpr int kNamed = 200'000;

TEST(Coordinator, LeavesOutADryRunThatIsTooGreatForAnAgentAndGoesOnSpeakingToIt) {
  Site site;
  site.Declare("ws-001");
  Agent agent(site, site.Enrol("ws-001"));
  ASSERT_TRUE(agent.Next(CoordinatorMessage::kWelcome));
  const auto stub = site.As("bob");
  const auto preview = [&](int named) {
    engine_testing::PlanDraft draft(site.people);
    plan::v1::Step& step = draft.AddStep(draft.AddStage("protect", {1}), "install");
    auto& artifact = *draft.header.add_artifacts();
    artifact.set_name("rules.yar");
    artifact.set_sha256(crypto::Sha256("rules"));
    for (int i = 0; i < named; ++i) step.add_artifacts(0);
    ops::PreviewPlanRequest request;
    *request.mutable_bundle() = draft.Bundle();
    request.set_timeout_ms(1);
    grpc::ClientContext context;
    const auto reader = stub->PreviewPlan(&context, request);
    for (ops::HostPreview one; reader->Read(&one);) {
    }
    return reader->Finish();
  };
  EXPECT_TRUE(preview(kNamed).ok());
  EXPECT_TRUE(preview(7).ok());
  const auto heard = agent.Next(CoordinatorMessage::kPreview);
  ASSERT_TRUE(heard) << "the stream stands";
  EXPECT_EQ(heard->preview().steps(0).artifacts_size(), 7);
}

TEST(Coordinator, AnswersAlsoWhoAsksForAHostByANameBeyondAllMeasure) {
  Site site;
  ops::HostRequest request;
  request.set_host(std::string(100'000, 'x'));
  site.Call("alice", &ops::OperatorService::Stub::GetHost, request);
  EXPECT_EQ(site.last.error_code(), grpc::NOT_FOUND) << site.last.error_message();
  EXPECT_THAT(site.last.error_message(), AllOf(StartsWith("host xxx"), EndsWith("is not known")));
  EXPECT_LT(site.last.error_message().size(), 2200);
}

TEST(ForPeers, KeepsBothEndsOfALongMessageAndCutsNoLetter) {
  EXPECT_EQ(ForPeers("short: é"), "short: é");
  std::string message = "beginning ";
  for (int i = 0; i < 3000; ++i) message += "é";
  message += "; try this";
  for (int shift = 0; shift < 2; ++shift, message.insert(0, "x")) {
    const std::string cut = ForPeers(message);
    EXPECT_THAT(cut, AllOf(HasSubstr("beginning é"), HasSubstr(" bytes …] é"), EndsWith("é; try this")));
    EXPECT_EQ(cut, BoundedText(cut, cut.size())) << "UTF-8 throughout";
  }
}

}  // namespace
}  // namespace reprise::coordinator::testing
