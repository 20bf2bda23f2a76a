// The conformance kit on the plugin "bubble": what needs no host prepared for it. Posts and flows, which need a bubble,
// are tried whole, and killed, in their own tests.
#include "tests/unit/plugins/bubble/site.h"

namespace reprise::bubble {
namespace {

void Verify(const std::string& action, const json& params) {
  std::string why_not;
  std::thread([&] {
    // What it does to the network it does to one that ends with this thread.
    if (unshare(CLONE_NEWNET) != 0) {
      why_not = "needs root, for a network namespace";
      return;
    }
    // Where the bubble would be.
    ASSERT_TRUE(Command({"ip", "link", "add", "in0", "type", "veth", "peer", "name", "far0"}));
    conformance::ConformanceOptions options;
    options.plugin = plugins::PluginFile("bubble");
    options.plugin_host = plugins::PluginHost();
    options.only_action = action;
    options.params_json = json{{action, params}}.dump();
    const auto report = conformance::VerifyPlugin(options);
    if (!report.ok()) {
      ADD_FAILURE() << report.status();
      return;
    }
    EXPECT_TRUE(conformance::Passed(*report)) << conformance::ToTable(*report);
    if (report->setting.rfind("In throw-away", 0) != 0) why_not = report->setting;
  }).join();
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(BubblePlugin, GatewayKeepsTheContract) {
  Verify("gateway", LabBubble());
}
TEST(BubblePlugin, DestroyKeepsTheContract) {
  Verify("destroy", {{"bubble", "lab"}});
}
TEST(BubblePlugin, ProveKeepsTheContract) {
  Verify("prove", {{"bubble", "lab"}});
}
TEST(BubblePlugin, ProveInsideKeepsTheContract) {
  Verify("prove_inside", InsideProof());
}
TEST(BubblePlugin, ProveOutsideKeepsTheContract) {
  Verify("prove_outside", OutsideProof());
}
TEST(BubblePlugin, CountersKeepTheContract) {
  Verify("counters", {{"bubble", "lab"}});
}
TEST(BubblePlugin, RemovePostKeepsTheContract) {
  Verify("remove_post", {{"bubble", "lab"}, {"post", "ws-101"}});
}
TEST(BubblePlugin, CloseFlowKeepsTheContract) {
  Verify("close_flow",
         {{"bubble", "lab"}, {"from", "10.20.0.2"}, {"to", "10.1.0.9"}, {"protocol", "tcp"}, {"port", 443}});
}

}  // namespace
}  // namespace reprise::bubble
