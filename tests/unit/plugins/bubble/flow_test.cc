// bubble.open_flow and bubble.close_flow with real traffic, and the kernel that ends them by itself.
#include "tests/unit/plugins/bubble/site.h"

namespace reprise::bubble {
namespace {

using ::testing::MatchesRegex;

json Way() {
  return {{"bubble", "lab"}, {"from", "10.20.0.2"}, {"to", "10.1.0.9"}, {"protocol", "tcp"}, {"port", 443}};
}

TEST(OpenFlow, PassesTrafficAndIsEndedByTheGatewayItself) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    json flow = LabFlow("D-12", "1h");
    flow["supervised"] = "10m";
    EXPECT_FALSE(site.Gateway(VERB_PROBE, "open_flow", flow).holds());
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
    const Answer opened = site.Gateway(VERB_APPLY, "open_flow", flow);
    ASSERT_TRUE(opened.changed()) << PrintToString(opened);
    Line line(site.side("inside"), "10.20.0.2", "10.1.0.9", 443);
    EXPECT_TRUE(line.Talks());
    const Answer verified = site.Gateway(VERB_VERIFY, "open_flow", flow);
    EXPECT_TRUE(verified.holds());
    EXPECT_THAT(ClaimOf(verified), MatchesRegex("bubble.flow_open holds: 10.20.0.2 -> tcp:10.1.0.9:443: open by D-12 until "
                                                "20..-..-..T..:..:..Z(, supervised until 20..-..-..T..:..:..Z)?"))
        << "it is read when the flow has long ended: a time, no \"left\"";
    EXPECT_EQ(MeasureIn(verified, "bubble.allowed_flows"), 1);
    EXPECT_FALSE(site.Gateway(VERB_APPLY, "open_flow", flow).changed());
    EXPECT_FALSE(site.Reaches("10.20.0.3", "10.1.0.9", 443)) << "another host";
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.2", 443)) << "another target";
    EXPECT_FALSE(site.Reaches("10.1.0.9", "10.20.0.2", 5432)) << "the other way";
    const Answer counted = site.Gateway(VERB_PROBE, "counters", {{"bubble", "lab"}});
    EXPECT_EQ(counted.value.at("observed").at("measures").at("allowed_flows"), 1);
    EXPECT_EQ(counted.value.at("observed").at("measures").at("supervised_connections"), 1)
        << "logged and counted while supervised";
    EXPECT_GT(counted.value.at("observed").at("flows").at(0).at("packets"), 3);
    EXPECT_EQ(counted.value.at("observed").at("flows").at(0).at("decision"), "D-12");
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << "an opened flow is no hole";

    // A later decision takes its place, for a moment. Nobody does anything then: the kernel closes it.
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-13", "2s")).changed());
    EXPECT_TRUE(plugins::Eventually([&] { return !line.Talks(); }));
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
    EXPECT_THAT(ClaimOf(site.Gateway(VERB_PROBE, "open_flow", LabFlow("D-13", "2s"))), HasSubstr("is over"));
    EXPECT_EQ(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-13", "2s")).code(), "flow_spent")
        << "a decision opens once";
    EXPECT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-14", "1h")).changed());
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
  });
}

TEST(OpenFlow, IsClosedByHandWithWhatRunsOnItAndIsUndone) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-1", "1h")).changed());
    Line line(site.side("inside"), "10.20.0.2", "10.1.0.9", 443);
    ASSERT_TRUE(line.Talks());
    EXPECT_FALSE(site.Gateway(VERB_PROBE, "close_flow", Way()).holds());
    EXPECT_EQ(site.Gateway(VERB_PLAN, "close_flow", Way()).value.at("changes").size(), 1u);
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "close_flow", Way()).changed());
    const Answer closed = site.Gateway(VERB_VERIFY, "close_flow", Way());
    EXPECT_TRUE(closed.holds());
    EXPECT_EQ(MeasureIn(closed, "bubble.allowed_flows"), 0);
    EXPECT_FALSE(site.Gateway(VERB_APPLY, "close_flow", Way()).changed());
    EXPECT_FALSE(line.Talks());
    EXPECT_EQ(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-1", "1h")).code(), "flow_spent");

    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-2", "1h")).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-3", "2h")).changed())
        << "a later decision takes its place";
    EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "open_flow", LabFlow("D-3", "2h")).done());
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "open_flow", LabFlow("D-2", "1h")).holds()) << "undone to what was before";
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
    // By UDP, from outside to inside, by IPv6.
    json datagrams = {{"bubble", "lab"}, {"from", "10.1.0.9"}, {"to", "10.20.0.2"}, {"protocol", "udp"},
                      {"port", 514},     {"duration", "1h"},   {"decision", "D-4"}};
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", datagrams).changed());
    EXPECT_TRUE(site.Reaches("10.1.0.9", "10.20.0.2", 514, SOCK_DGRAM));
    json six = {{"bubble", "lab"}, {"from", "fd00:20::2"}, {"to", "fd00:1::9"}, {"protocol", "tcp"},
                {"port", 443},     {"duration", "1h"},     {"decision", "D-5"}};
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", six).changed());
    EXPECT_TRUE(site.Reaches("fd00:20::2", "fd00:1::9", 443));
    EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "open_flow", six).done());
    EXPECT_FALSE(site.Reaches("fd00:20::2", "fd00:1::9", 443));
  });
}

TEST(OpenFlow, RefusesWhatNobodyCanHaveDecided) {
  ON_A_SITE([](Site& site) {
    EXPECT_EQ(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-1", "1h")).code(), "no_bubble");
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    const auto with = [&](const char* key, const json& value) {
      json params = LabFlow("D-1", "1h");
      params[key] = value;
      return site.Gateway(VERB_APPLY, "open_flow", params).code();
    };
    EXPECT_EQ(with("from", "10.20.0.9"), "bad_params") << "no member";
    EXPECT_EQ(with("from", "10.20.0.0/24"), "bad_params");
    EXPECT_EQ(with("to", "fd00:1::9"), "bad_params") << "two families";
    EXPECT_EQ(with("to", "0.0.0.0"), "bad_params");
    EXPECT_EQ(with("protocol", "any"), "bad_params");
    EXPECT_EQ(with("port", 0), "bad_params");
    EXPECT_EQ(with("port", 65536), "bad_params");
    EXPECT_EQ(with("duration", "0s"), "bad_params");
    EXPECT_EQ(with("duration", "367d"), "bad_params") << "every flow has an end";
    EXPECT_EQ(with("supervised", "2h"), "bad_params");
    EXPECT_EQ(with("decision", ""), "bad_params");
    EXPECT_EQ(with("decision", "D-1\naccept"), "bad_params");
    // One that somebody opens by hand without an end is no flow of ours.
    ASSERT_EQ(with("decision", "D-1"), "done");
    ASSERT_TRUE(
        Nft({"delete", "element", "inet", "reprise_bubble_lab", "flows4", "{ 10.20.0.2 . 10.1.0.9 . tcp . 443 }"}));
    EXPECT_THAT(ClaimOf(site.Gateway(VERB_PROBE, "open_flow", LabFlow("D-1", "1h"))),
                HasSubstr("closed by the gateway's restart"));
    ASSERT_TRUE(
        Nft({"add", "element", "inet", "reprise_bubble_lab", "flows4", "{ 10.20.0.2 . 10.1.0.9 . tcp . 443 }"}));
    EXPECT_THAT(ClaimOf(site.Gateway(VERB_PROBE, "prove", {{"bubble", "lab"}})),
                HasSubstr("beyond the time for which it was opened"));
    EXPECT_FALSE(site.Gateway(VERB_VERIFY, "open_flow", LabFlow("D-1", "1h")).holds());
  });
}

TEST(OpenFlow, KilledInTheMiddleIsSortedOut) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    const json flow = LabFlow("D-1", "1h");
    for (const int delay : {5, 15, 30, 45, 60, 80}) {
      auto running = site.gateway().Start(VERB_APPLY, "open_flow", flow);
      std::this_thread::sleep_for(std::chrono::milliseconds(delay));
      site.gateway().KillAll();
      const bool held = site.Gateway(VERB_PROBE, "open_flow", flow).holds();
      const Answer again = site.Gateway(VERB_APPLY, "open_flow", flow);
      EXPECT_EQ(again.changed(), !held) << delay << PrintToString(again);
      EXPECT_TRUE(site.Gateway(VERB_VERIFY, "open_flow", flow).holds()) << delay;
      EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << delay;
      EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "open_flow", flow).done());
      EXPECT_TRUE(site.Gateway(VERB_PROBE, "close_flow", Way()).holds()) << delay;
    }
  });
}

}  // namespace
}  // namespace reprise::bubble
