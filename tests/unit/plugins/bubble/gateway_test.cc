// bubble.gateway and bubble.destroy on real nftables, between real networks.
#include "tests/unit/plugins/bubble/site.h"

namespace reprise::bubble {
namespace {

TEST(Gateway, ClosesAtOnceAndLetsTheAgentsThrough) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443) && site.Reaches("10.1.0.9", "10.20.0.2", 5432))
        << "open before";
    ASSERT_TRUE(site.Reaches("fd00:20::2", "fd00:1::9", 443) && site.Reaches("10.20.0.2", "10.1.0.9", 514, SOCK_DGRAM));
    Line open_before(site.side("inside"), "10.20.0.2", "10.1.0.9", 443);
    ASSERT_TRUE(open_before.Talks());

    EXPECT_FALSE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
    EXPECT_EQ(site.Gateway(VERB_PLAN, "gateway", LabBubble()).value.at("changes").size(), 1u);
    const Answer applied = site.Gateway(VERB_APPLY, "gateway", LabBubble());
    ASSERT_TRUE(applied.changed()) << PrintToString(applied);
    EXPECT_FALSE(open_before.Talks()) << "what ran before is cut too";
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 514, SOCK_DGRAM));
    EXPECT_FALSE(site.Reaches("10.1.0.9", "10.20.0.2", 5432));
    EXPECT_FALSE(site.Reaches("fd00:20::2", "fd00:1::9", 443));
    EXPECT_FALSE(site.Reaches("fd00:1::9", "fd00:20::2", 5432));
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.2", 7443)) << "management";
    EXPECT_TRUE(site.Reaches("fd00:20::2", "fd00:1::2", 7443));
    EXPECT_FALSE(site.Reaches("10.20.0.9", "10.1.0.2", 7443)) << "no member";
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.2", 443)) << "another port of the coordinator";
    EXPECT_FALSE(site.Reaches("10.1.0.2", "10.20.0.2", 8080)) << "the coordinator opens nothing itself";

    const Answer verified = site.Gateway(VERB_VERIFY, "gateway", LabBubble());
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_EQ(ClaimOf(verified), "bubble.gateway holds: default drop, 3 members, 2 management flows, at most 4 posts");
    EXPECT_GT(MeasureIn(verified, "bubble.refused_out"), 0) << "what was refused is a number from the first look on";
    EXPECT_FALSE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed()) << "twice changes once";
    EXPECT_TRUE(site.Gateway(VERB_PLAN, "gateway", LabBubble()).value.at("changes").empty());

    const Answer counted = site.Gateway(VERB_PROBE, "counters", {{"bubble", "lab"}});
    const json& measures = counted.value.at("observed").at("measures");
    EXPECT_GT(measures.at("refused_in"), 1) << PrintToString(counted);
    EXPECT_GT(measures.at("refused_out"), 3);
    EXPECT_EQ(MeasureIn(counted, "bubble.refused_in"), measures.at("refused_in"));
    EXPECT_EQ(MeasureIn(counted, "bubble.refused_out"), measures.at("refused_out"));
    EXPECT_EQ(measures.at("allowed_flows"), 0);

    EXPECT_FALSE(site.Gateway(VERB_PROBE, "destroy", {{"bubble", "lab"}}).holds());
    EXPECT_TRUE(site.Gateway(VERB_APPLY, "destroy", {{"bubble", "lab"}}).changed());
    EXPECT_TRUE(site.Gateway(VERB_VERIFY, "destroy", {{"bubble", "lab"}}).holds());
    EXPECT_FALSE(site.Gateway(VERB_APPLY, "destroy", {{"bubble", "lab"}}).changed());
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
  });
}

TEST(Gateway, IsUndoneToWhatItWasBefore) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "gateway", LabBubble()).done());
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "destroy", {{"bubble", "lab"}}).holds());
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443));

    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
    EXPECT_FALSE(site.Reaches("10.1.0.9", "10.20.0.2", 5432));
    const int64_t refused =
        site.Gateway(VERB_PROBE, "counters", {{"bubble", "lab"}}).value.at("observed").at("measures").at("refused_in");
    ASSERT_GT(refused, 0);
    json wider = LabBubble();
    wider["management"].push_back("tcp:10.1.0.9:443");
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", wider).changed());
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
    EXPECT_TRUE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "posts stay in";
    EXPECT_FALSE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
    EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "gateway", wider).done());
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
    EXPECT_TRUE(site.Reaches("10.1.0.11", "10.20.0.2", 5432));
    EXPECT_GE(
        site.Gateway(VERB_PROBE, "counters", {{"bubble", "lab"}}).value.at("observed").at("measures").at("refused_in"),
        refused)
        << "figures go on when rules are loaded anew";
    json smaller = LabBubble();
    smaller["posts_max"] = 0;
    EXPECT_EQ(site.Gateway(VERB_APPLY, "gateway", smaller).code(), "posts_full");
    json fewer = LabBubble();
    fewer["members"] = {"10.20.0.3"};
    EXPECT_EQ(site.Gateway(VERB_APPLY, "gateway", fewer).code(), "members_in_use");
  });
}

TEST(Gateway, KnowsMembersByTheirHardwareAddress) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    json strict = LabBubble();
    strict["members"] = {"10.20.0.2@02:00:00:00:00:77"};
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", strict).changed());
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.2", 7443)) << "another interface has its address";
    In(site.side("inside"), [] {
      EXPECT_TRUE(Command({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:77"}));
    });
    Command({"ip", "neigh", "flush", "dev", "in0"});
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.2", 7443));
  });
}

TEST(Gateway, LeavesAnotherBubbleOfTheSameGatewayAlone) {
  ON_A_SITE(
      [](Site& site) {
        ASSERT_TRUE(Forward());
        ASSERT_TRUE(Command({"ip", "addr", "add", "10.30.0.1/24", "dev", "in1"}) &&
                    Command({"ip", "link", "set", "in1", "up"}));
        json other = LabBubble();
        other.update({{"bubble", "lab-2"},
                      {"interfaces", {"in1"}},
                      {"subnets", {"10.30.0.0/24"}},
                      {"members", {"10.30.0.2"}},
                      {"management", {"tcp:10.1.0.2:7443"}}});
        ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
        const Answer second = site.Gateway(VERB_APPLY, "gateway", other);
        ASSERT_TRUE(second.changed()) << PrintToString(second);
        EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds());
        EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.2", 7443));
        EXPECT_TRUE(Line(site.side("second"), "10.30.0.2", "10.1.0.2", 7443).Talks());
        EXPECT_FALSE(Line(site.side("second"), "10.30.0.2", "10.20.0.2", 5432).Talks()) << "from bubble to bubble";
        ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
        EXPECT_TRUE(site.Reaches("10.1.0.11", "10.20.0.2", 5432));
        EXPECT_TRUE(site.Gateway(VERB_APPLY, "destroy", {{"bubble", "lab-2"}}).changed());
        EXPECT_TRUE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "the first goes on";
        EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
        EXPECT_TRUE(Line(site.side("second"), "10.30.0.2", "10.1.0.9", 443).Talks()) << "the second is none any more";
        EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << "its bolts stay";

        json clash = other;
        clash["interfaces"] = {"in0"};
        EXPECT_EQ(site.Gateway(VERB_APPLY, "gateway", clash).code(), "bad_params")
            << "one interface leads into one bubble";
      },
      [](Network& network) {
        return network.Plug("second", ThisNetwork(), {"eth0", "in1", {"10.30.0.2/24"}, "10.30.0.1", "", {}, {}});
      });
}

TEST(Gateway, RefusesWhatDoesNotFitTogether) {
  ON_A_SITE([](Site& site) {
    const auto with = [&](const char* key, const json& value) {
      json params = LabBubble();
      params[key] = value;
      return site.Gateway(VERB_APPLY, "gateway", params).code();
    };
    for (const char* name : {"../x", "Lab", "a b", "-x", "x;flush", "lab\n}"})
      EXPECT_EQ(with("bubble", name), "bad_params") << name;
    for (const char* name : {"lo", "in0\" accept", "a/b", "averyverylongname"})
      EXPECT_EQ(with("interfaces", {name}), "bad_params") << name;
    for (const char* text : {"0.0.0.0/0", "10.20.0.1/24", "10.20.0.0", "10.20.0.0/33", "::/0", "224.0.0.0/8"}) {
      EXPECT_EQ(with("subnets", {text}), "bad_params") << text;
    }
    for (const char* text :
         {"10.9.0.1", "pc1", "10.20.0.2 accept", "10.20.0.2@", "10.20.0.2@01:00:00:00:00:00", "0x0a140002"}) {
      EXPECT_EQ(with("members", {text}), "bad_params") << text;
    }
    for (const char* text :
         {"tcp:10.1.0.2", "icmp:10.1.0.2:1", "tcp:10.1.0.2:0", "tcp:10.20.0.2:80", "tcp:coordinator:7443"}) {
      EXPECT_EQ(with("management", {text}), "bad_params") << text;
    }
    EXPECT_EQ(with("forwarding", "on"), "bad_params") << "without a hook nobody turns it on";
    EXPECT_EQ(with("members", json::array()), "bad_params");
    EXPECT_EQ(with("interfaces", {"in0", "in9"}), "no_interface");
    std::string tables;
    EXPECT_TRUE(Nft({"list", "tables"}, &tables));
    EXPECT_EQ(tables, "") << "nothing was made";
  });
}

// A restart may number the gateway's interfaces anew: rules go by the name, and what was inside would be so no longer.
TEST(Gateway, AnInterfaceThatIsThereByAnotherNameIsNotHeldAndSaidToBe) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(Command({"ip", "link", "set", "in0", "down"}) && Command({"ip", "link", "set", "in0", "name", "in9"}) &&
                Command({"ip", "link", "set", "in9", "up"}));
    const auto says = [&] { return ClaimOf(site.Gateway(VERB_PROBE, "gateway", LabBubble())); };
    EXPECT_THAT(says(), HasSubstr("fails: interface in0 is not there"));
    if (Command({"ip", "link", "property", "add", "dev", "in9", "altname", "in0"})) {
      EXPECT_THAT(says(), HasSubstr("fails: interface in0 is not there")) << "rules do not know alternative names";
      ASSERT_TRUE(Command({"ip", "link", "property", "del", "dev", "in9", "altname", "in0"}));
    }
    EXPECT_EQ(site.Gateway(VERB_APPLY, "gateway", LabBubble()).code(), "no_interface");

    json renamed = LabBubble();
    renamed["interfaces"] = {"in9"};
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", renamed).changed());
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", renamed).holds());
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443));
  });
}

TEST(Gateway, KilledInTheMiddleIsSortedOutByTheNextProbeAndApply) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    for (const int delay : {5, 15, 30, 45, 60, 80, 100, 130}) {
      auto running = site.gateway().Start(VERB_APPLY, "gateway", LabBubble());
      std::this_thread::sleep_for(std::chrono::milliseconds(delay));
      site.gateway().KillAll();
      const bool held = site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds();
      EXPECT_EQ(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed(), !held) << delay;
      EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << delay;
      EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "gateway", LabBubble()).done());
      const Answer gone = site.Gateway(VERB_PROBE, "destroy", {{"bubble", "lab"}});
      EXPECT_TRUE(gone.holds()) << delay << PrintToString(gone);
    }
  });
}

}  // namespace
}  // namespace reprise::bubble
