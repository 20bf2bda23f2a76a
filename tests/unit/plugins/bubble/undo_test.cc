// An undo takes back what its step left, and opens nothing that somebody closed since.
#include "tests/unit/plugins/bubble/site.h"

namespace reprise::bubble {
namespace {

json Way() {
  return {{"bubble", "lab"}, {"from", "10.20.0.2"}, {"to", "10.1.0.9"}, {"protocol", "tcp"}, {"port", 443}};
}
json Wider(int number) {
  json post = LabPost(number);
  post["applications"].push_back("tcp:10.20.0.2:8080");
  return post;
}
json Only(int number) {
  return {{"bubble", "lab"}, {"post", "ws-10" + std::to_string(number)}};
}
std::string Undone(Site& site, const char* action, const json& params) {
  const Answer answer = site.Gateway(VERB_ROLLBACK, action, params);
  return answer.done() ? answer.value.at("summary").get<std::string>() : PrintToString(answer);
}

TEST(UndoOfAFlow, OpensNothingThatWasClosedSince) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-6", "1h")).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-7", "1h")).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "close_flow", Way()).changed());
    EXPECT_THAT(Undone(site, "open_flow", LabFlow("D-7", "1h")), HasSubstr("is left as it is"));
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443)) << "D-6 is open again";
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "close_flow", Way()).holds());
    EXPECT_THAT(Undone(site, "open_flow", LabFlow("D-6", "1h")), HasSubstr("is left as it is"));
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
    for (const char* decision : {"D-6", "D-7"})
      EXPECT_EQ(site.Gateway(VERB_APPLY, "open_flow", LabFlow(decision, "1h")).code(), "flow_spent") << decision;
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
  });
}

TEST(UndoOfAFlow, LeavesADecisionSpentWhoseWayWasClosed) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-4", "1h")).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "close_flow", Way()).changed());
    EXPECT_THAT(Undone(site, "open_flow", LabFlow("D-4", "1h")), HasSubstr("was closed"));
    EXPECT_EQ(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-4", "1h")).code(), "flow_spent");
    // One that ended by itself, over one with time left.
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-5", "1h")).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-6", "2s")).changed());
    ASSERT_TRUE(plugins::Eventually([&] { return site.Gateway(VERB_PROBE, "close_flow", Way()).holds(); }));
    EXPECT_THAT(Undone(site, "open_flow", LabFlow("D-6", "2s")), HasSubstr("has ended"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "close_flow", Way()).holds()) << "D-5 is open again";
  });
}

TEST(UndoOfAFlow, BringsNoneBackThatWasUndoneItself) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    for (const char* decision : {"D-1", "D-2", "D-3"})
      ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow(decision, "1h")).changed()) << decision;
    // In their order: each gives way to the one before.
    EXPECT_THAT(Undone(site, "open_flow", LabFlow("D-3", "1h")), HasSubstr("is as it was"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "open_flow", LabFlow("D-2", "1h")).holds());
    EXPECT_THAT(Undone(site, "open_flow", LabFlow("D-3", "1h")), HasSubstr("nothing to undo"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "open_flow", LabFlow("D-2", "1h")).holds()) << "an undo twice undoes once";
    // Out of their order: what was undone does not come back.
    EXPECT_THAT(Undone(site, "open_flow", LabFlow("D-1", "1h")), HasSubstr("D-2 took the place"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "open_flow", LabFlow("D-2", "1h")).holds());
    EXPECT_THAT(Undone(site, "open_flow", LabFlow("D-2", "1h")), HasSubstr("is as it was"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "close_flow", Way()).holds()) << "D-1 is open again";
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
  });
}

TEST(UndoOfAPost, BringsInNobodyWhoWasTakenOutSince) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", Wider(1)).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "remove_post", Only(1)).changed());
    EXPECT_THAT(Undone(site, "admit_post", Wider(1)), HasSubstr("is left as it is, out"));
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "the removed post is in again";
    EXPECT_THAT(Undone(site, "admit_post", LabPost(1)), HasSubstr("is left as it is, out"));
    EXPECT_THAT(Undone(site, "remove_post", Only(1)), HasSubstr("is out"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "remove_post", Only(1)).holds()) << "both steps that let it in were undone";
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
  });
}

TEST(UndoOfAPost, TakesBackStepByStep) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", Wider(1)).changed());
    EXPECT_THAT(Undone(site, "admit_post", Wider(1)), HasSubstr("as before"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "admit_post", LabPost(1)).holds());
    EXPECT_THAT(Undone(site, "admit_post", Wider(1)), HasSubstr("nothing to undo"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "admit_post", LabPost(1)).holds());
    EXPECT_THAT(Undone(site, "admit_post", LabPost(1)), HasSubstr("is out, as before"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "remove_post", Only(1)).holds());
    // A step that was refused left nothing to take back, and covers nothing up.
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(2)).changed());
    json moved = LabPost(2);
    moved["address"] = "10.1.0.13";
    EXPECT_EQ(site.Gateway(VERB_APPLY, "admit_post", moved).code(), "post_conflict");
    EXPECT_THAT(Undone(site, "admit_post", moved), HasSubstr("nothing to undo"));
    EXPECT_THAT(Undone(site, "admit_post", LabPost(2)), HasSubstr("is out, as before"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
  });
}

}  // namespace
}  // namespace reprise::bubble
