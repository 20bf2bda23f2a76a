// Who is inside, who is outside and who is the gateway: nobody is two of them, in one bubble or in two.
#include "tests/unit/plugins/bubble/site.h"

namespace reprise::bubble {
namespace {

std::string Said(const Answer& answer) {
  return answer.code() + ": " + answer.result.message;
}

TEST(Bubbles, MayNotCoverEachOthersMembers) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    json two = LabBubble();
    two.update({{"bubble", "two"},
                {"interfaces", {"out0"}},
                {"subnets", {"10.20.0.0/16", "fd00:1::/64"}},
                {"members", {"fd00:1::9"}},
                {"management", json::array()}});
    for (const auto verb : {VERB_PLAN, VERB_APPLY}) {
      EXPECT_THAT(Said(site.Gateway(verb, "gateway", two)),
                  HasSubstr("bad_params: subnet 10.20.0.0/16 covers 10.20.0.2, a member of bubble lab"));
    }
    two["subnets"] = {"fd00:1::/64"};
    EXPECT_TRUE(site.Gateway(VERB_APPLY, "gateway", two).changed()) << "its own network alone";
  });
}

TEST(Gateway, IsNotUndoneOverABubbleThatWasMadeSince) {
  ON_A_SITE([](Site& site) {
    json wide = LabBubble();
    wide["subnets"] = {"10.20.0.0/16", "fd00:20::/64"};
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", wide).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    json two = LabBubble();
    two.update({{"bubble", "two"},
                {"interfaces", {"out0"}},
                {"subnets", {"10.20.5.0/24"}},
                {"members", {"10.20.5.5"}},
                {"management", json::array()}});
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", two).changed());
    EXPECT_THAT(Said(site.Gateway(VERB_ROLLBACK, "gateway", LabBubble())),
                HasSubstr("bad_params: subnet 10.20.0.0/16 covers 10.20.5.5, a member of bubble two"));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << "and nothing has changed";
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "destroy", {{"bubble", "two"}}).changed());
    EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "gateway", LabBubble()).done());
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", wide).holds());
  });
}

TEST(Gateway, DoesNotTakeAPostInside) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(3)).changed());
    json wider = LabBubble();
    wider["subnets"].push_back("10.1.0.8/29");
    for (const auto verb : {VERB_PLAN, VERB_APPLY}) {
      EXPECT_THAT(Said(site.Gateway(verb, "gateway", wider)),
                  HasSubstr("members_in_use: post ws-103 (10.1.0.13) would be inside, in subnet 10.1.0.8/29"));
    }
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << "and nothing has changed";
    ASSERT_TRUE(site.Gateway(VERB_ROLLBACK, "admit_post", LabPost(3)).done());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", wider).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(3)).changed());
    EXPECT_EQ(site.Gateway(VERB_ROLLBACK, "gateway", LabBubble()).code(), "members_in_use") << "nor by an undo";
  });
}

TEST(Gateway, IsNeitherMemberNorPostItself) {
  ON_A_SITE([](Site& site) {
    const auto member = [&](const char* text) {
      json params = LabBubble();
      params["members"].push_back(text);
      return Said(site.Gateway(VERB_APPLY, "gateway", params));
    };
    EXPECT_THAT(member("10.20.0.1"), HasSubstr("bad_params: member 10.20.0.1 is this gateway itself, on in0"));
    EXPECT_THAT(member("fd00:20::1"), HasSubstr("bad_params: member fd00:20::1 is this gateway itself, on in0"));
    EXPECT_THAT(member("10.20.0.0"), HasSubstr("is the network or broadcast address of subnet 10.20.0.0/24"));
    EXPECT_THAT(member("10.20.0.255"), HasSubstr("is the network or broadcast address of subnet 10.20.0.0/24"));
    EXPECT_THAT(member("10.20.0.254"), HasSubstr("done")) << "the last host";
    json post = LabPost(1);
    post["address"] = "10.1.0.1";
    for (const auto verb : {VERB_PLAN, VERB_APPLY}) {
      EXPECT_THAT(Said(site.Gateway(verb, "admit_post", post)),
                  HasSubstr("bad_params: address 10.1.0.1 is this gateway's own, on out0"));
    }
  });
}

}  // namespace
}  // namespace reprise::bubble
