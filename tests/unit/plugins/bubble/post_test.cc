// bubble.admit_post and bubble.remove_post: the limit is the gateway's own.
#include "tests/unit/plugins/bubble/site.h"

namespace reprise::bubble {
namespace {

json Only(int number) {
  return {{"bubble", "lab"}, {"post", "ws-10" + std::to_string(number)}};
}

TEST(AdmitPost, LetsFourInAndTheGatewayRefusesTheFifth) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    EXPECT_EQ(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).code(), "no_bubble");
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    for (int i = 1; i <= 4; ++i) {
      const std::string address = "10.1.0.1" + std::to_string(i);
      EXPECT_FALSE(site.Reaches(address, "10.20.0.2", 5432));
      const Answer in = site.Gateway(VERB_APPLY, "admit_post", LabPost(i));
      ASSERT_TRUE(in.changed()) << PrintToString(in);
      const Answer verified = site.Gateway(VERB_VERIFY, "admit_post", LabPost(i));
      EXPECT_TRUE(verified.holds());
      EXPECT_EQ(ClaimNamed(verified, "bubble.gateway"),
                "bubble.gateway holds: default drop, 3 members, 2 management flows, at most 4 posts")
          << "no number that ages";
      EXPECT_EQ(MeasureIn(verified, "bubble.posts"), i);
      EXPECT_FALSE(site.Gateway(VERB_APPLY, "admit_post", LabPost(i)).changed());
      EXPECT_TRUE(site.Reaches(address, "10.20.0.2", 5432)) << i;
      EXPECT_FALSE(site.Reaches(address, "10.20.0.2", 8080)) << "another port";
      EXPECT_FALSE(site.Reaches(address, "10.20.0.3", 5432)) << "another member";
      EXPECT_FALSE(site.Reaches("10.20.0.2", address, 443)) << "the other way";
    }
    const Answer fifth = site.Gateway(VERB_APPLY, "admit_post", LabPost(5));
    EXPECT_EQ(fifth.code(), "posts_full");
    EXPECT_THAT(fifth.result.message,
                HasSubstr("in are ws-101 (10.1.0.11), ws-102 (10.1.0.12), ws-103 (10.1.0.13), ws-104 (10.1.0.14)"));
    EXPECT_THAT(site.Gateway(VERB_PLAN, "admit_post", LabPost(5)).value.at("summary").get<std::string>(),
                HasSubstr("will be refused"));
    EXPECT_FALSE(site.Reaches("10.1.0.15", "10.20.0.2", 5432));
    std::string said;
    EXPECT_FALSE(Nft({"add", "element", "inet", "reprise_bubble_lab", "posts", "{ 10.1.0.15 }"}, &said));
    EXPECT_THAT(said, HasSubstr("Too many open files in system")) << "the kernel itself";
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << "and nothing has changed";

    ASSERT_TRUE(site.Gateway(VERB_APPLY, "remove_post", Only(2)).changed());
    const Answer removed = site.Gateway(VERB_VERIFY, "remove_post", Only(2));
    EXPECT_TRUE(removed.holds());
    EXPECT_EQ(MeasureIn(removed, "bubble.posts"), 3);
    EXPECT_FALSE(site.Gateway(VERB_APPLY, "remove_post", Only(2)).changed());
    EXPECT_FALSE(site.Reaches("10.1.0.12", "10.20.0.2", 5432));
    EXPECT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(5)).changed()) << "there is room again";
    EXPECT_TRUE(site.Reaches("10.1.0.15", "10.20.0.2", 5432));
    EXPECT_EQ(site.Gateway(VERB_ROLLBACK, "remove_post", Only(2)).code(), "posts_full") << "its place is taken";
    EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "admit_post", LabPost(5)).done());
    EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "remove_post", Only(2)).done());
    EXPECT_TRUE(site.Reaches("10.1.0.12", "10.20.0.2", 5432));
    EXPECT_FALSE(site.Reaches("10.1.0.15", "10.20.0.2", 5432));
    EXPECT_EQ(site.Gateway(VERB_PROBE, "counters", {{"bubble", "lab"}}).value.at("observed").at("measures").at("posts"),
              4);
  });
}

TEST(AdmitPost, IsRefusedByTheKernelWhenSomebodyTookThePlacesByHand) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
    ASSERT_TRUE(Nft({"add", "element", "inet", "reprise_bubble_lab", "posts", "{ 10.1.0.21, 10.1.0.22, 10.1.0.23 }"}));
    const Answer refused = site.Gateway(VERB_APPLY, "admit_post", LabPost(2));
    EXPECT_EQ(refused.code(), "posts_full");
    EXPECT_THAT(refused.result.message, HasSubstr("is refused by the gateway's kernel"));
    EXPECT_THAT(refused.result.message, HasSubstr("10.1.0.21 (unknown to Reprise)"));
    EXPECT_FALSE(site.Gateway(VERB_PROBE, "admit_post", LabPost(2)).holds());
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "admit_post", LabPost(1)).holds());
  });
}

TEST(AdmitPost, KnowsAPostByItsHardwareAddressAndEndsWhatItHasOpen) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    json post = LabPost(1);
    post["mac"] = "02:00:00:00:00:99";
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", post).changed());
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "somebody else took its address";
    In(site.side("outside"), [] {
      EXPECT_TRUE(Command({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"}));
    });
    Command({"ip", "neigh", "flush", "dev", "out0"});
    Line line(site.side("outside"), "10.1.0.11", "10.20.0.2", 5432);
    EXPECT_TRUE(line.Talks());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "remove_post", Only(1)).changed());
    EXPECT_FALSE(line.Talks()) << "what it had open has ended";
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
  });
}

TEST(AdmitPost, RefusesWhatIsNoPost) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    const auto with = [&](const char* key, const json& value) {
      json params = LabPost(1);
      params[key] = value;
      return site.Gateway(VERB_APPLY, "admit_post", params).code();
    };
    EXPECT_EQ(with("address", "10.20.0.9"), "bad_params") << "inside";
    EXPECT_EQ(with("address", "fd00:1::11"), "bad_params") << "another family has another limit";
    EXPECT_EQ(with("address", "10.1.0.11 }; flush ruleset"), "bad_params");
    EXPECT_EQ(with("mac", "ff:ff:ff:ff:ff:ff"), "bad_params");
    EXPECT_EQ(with("applications", {"tcp:10.1.0.9:443"}), "bad_params") << "no member";
    EXPECT_EQ(with("applications", json::array()), "bad_params");
    EXPECT_EQ(with("post", "ws 1"), "bad_params");
    ASSERT_EQ(with("post", "ws-101"), "done");
    EXPECT_EQ(with("post", "ws-999"), "post_conflict") << "the address is another's";
    EXPECT_EQ(with("address", "10.1.0.12"), "post_conflict") << "the post has another address";
    EXPECT_EQ(with("applications", {"tcp:10.20.0.3:8080"}), "done") << "other applications for the same post";
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
    json otherwise = LabPost(1);
    otherwise["applications"] = {"tcp:10.20.0.3:8080"};
    EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "admit_post", otherwise).done());
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "admit_post", LabPost(1)).holds()) << "undone to what was before";
  });
}

TEST(AdmitPost, KilledInTheMiddleIsSortedOut) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    for (const int delay : {5, 15, 30, 45, 60, 80}) {
      auto running = site.gateway().Start(VERB_APPLY, "admit_post", LabPost(1));
      std::this_thread::sleep_for(std::chrono::milliseconds(delay));
      site.gateway().KillAll();
      const bool held = site.Gateway(VERB_PROBE, "admit_post", LabPost(1)).holds();
      const Answer again = site.Gateway(VERB_APPLY, "admit_post", LabPost(1));
      EXPECT_EQ(again.changed(), !held) << delay << PrintToString(again);
      EXPECT_TRUE(site.Gateway(VERB_VERIFY, "admit_post", LabPost(1)).holds()) << delay;
      EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << delay;
      EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "admit_post", LabPost(1)).done());
      EXPECT_FALSE(site.Gateway(VERB_PROBE, "admit_post", LabPost(1)).holds());
    }
  });
}

}  // namespace
}  // namespace reprise::bubble
