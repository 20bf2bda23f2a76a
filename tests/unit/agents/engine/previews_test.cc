#include "agents/engine/previews.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agents/engine/connected_host.h"

namespace reprise::agents {
namespace {

using namespace testing;  // NOLINT: the fixture's words
using ::testing::HasSubstr;

class PreviewTest : public ConnectedHostTest {
 protected:
  agent::v1::CoordinatorMessage Request(bool signed_plugin) {
    agent::v1::CoordinatorMessage message;
    auto* request = message.mutable_preview();
    request->set_request(42);
    auto* step = request->add_steps();
    step->mutable_plugin()->set_name("mock");
    step->mutable_plugin()->set_sha256(crypto::Sha256("the plugin's bytes"));
    if (signed_plugin) *step->mutable_plugin()->mutable_signature() = people.Sign("the plugin's bytes", "bob");
    step->set_action("touch");
    step->set_params_json("{}");
    return message;
  }
};

TEST_F(PreviewTest, RunsOnlyTheVerbPlanOfASignedPlugin) {
  host.Hear(Request(true));
  ASSERT_EQ(host.fetches.size(), 1u);
  EXPECT_FALSE(host.fetches[0].files[0].minisig.empty());
  EXPECT_EQ(host.fetches[0].files[0].keys.size(), 3u);
  host.FilesCome();
  EXPECT_EQ(host.LastVerb(), v1::VERB_PLAN);
  host.VerbGives(R"({"changes":[]})");
  EXPECT_TRUE(host.sent.back().preview().ok());
  EXPECT_EQ(host.sent.back().preview().request(), 42u);
  EXPECT_TRUE(host.spool().back().has_host_statement()) << "nothing of a preview is kept";
}

TEST_F(PreviewTest, RefusesAPluginThatNobodySigned) {
  host.Hear(Request(false));
  EXPECT_TRUE(host.fetches.empty());
  EXPECT_FALSE(host.sent.back().preview().ok());
  EXPECT_THAT(host.sent.back().preview().result_json(), HasSubstr("plugin_unsigned"));
}

TEST_F(PreviewTest, IsKilledByAStopAndCounted) {
  host.Hear(Request(true));
  host.FilesCome();
  host.HearStop(1, true);
  EXPECT_EQ(host.killed.size(), 1u);
  host.VerbEnds(VerbEnd::kCancelled);
  ASSERT_TRUE(host.sent.back().has_stop_confirmed());
  EXPECT_EQ(host.sent.back().stop_confirmed().killed(), 1u);
}

}  // namespace
}  // namespace reprise::agents
