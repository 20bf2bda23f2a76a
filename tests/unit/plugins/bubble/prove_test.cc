// The three proofs: closed is proven, every hole that is punched by hand is found and named, and what could not be
// looked at is not called closed.
#include "tests/unit/plugins/bubble/site.h"

namespace reprise::bubble {
namespace {

const json kLab = {{"bubble", "lab"}};

TEST(Prove, HoldsWhenAllThreeSidesAgree) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    const Answer early = site.Gateway(VERB_PROBE, "prove", kLab);
    EXPECT_FALSE(early.holds());
    EXPECT_THAT(
        ClaimOf(early),
        HasSubstr(
            "bubble.closed unknown: nothing was refused on its way out within 10m over tcp, udp, icmp, dns, ipv6 (run "
            "bubble.prove_inside)"));

    const Answer inside = site.On("inside", "prove_inside", InsideProof());
    EXPECT_TRUE(inside.holds()) << PrintToString(inside);
    EXPECT_EQ(ClaimOf(inside),
              "bubble.closed_inside holds: 8 probes (dns 2, icmp 2, ipv6 4, tcp 2, udp 2), none got through");
    const Answer outside = site.On("outside", "prove_outside", OutsideProof());
    EXPECT_TRUE(outside.holds()) << PrintToString(outside);
    EXPECT_EQ(ClaimOf(outside).rfind("bubble.closed_outside holds", 0), 0u);
    const Answer gateway = site.Gateway(VERB_PROBE, "prove", kLab);
    EXPECT_TRUE(gateway.holds()) << PrintToString(gateway);
    EXPECT_EQ(ClaimOf(gateway).rfind("bubble.closed holds: rules as expected", 0), 0u) << ClaimOf(gateway);
    EXPECT_GT(gateway.value.at("observed").at("refused_out"), 7);
    EXPECT_GT(gateway.value.at("observed").at("refused_in"), 6);
    EXPECT_TRUE(site.Gateway(VERB_VERIFY, "prove", kLab).holds());
  });
}

TEST(Prove, EachKindOfProbeTellsAnOpenWallFromAClosedOne) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    for (const auto& [target, said] : {std::pair("tcp:10.1.0.9:443", "connected"),
                                       {"tcp:10.1.0.9:444", "its port is closed"},
                                       {"udp:10.1.0.9:514", "answered with"},
                                       {"udp:10.1.0.9:515", "its port is closed"},
                                       {"icmp:10.1.0.9", "echoed"},
                                       {"dns:10.1.0.9", ""},
                                       {"tcp:[fd00:1::9]:443", "connected"},
                                       {"udp:[fd00:1::9]:514", "answered with"},
                                       {"icmp:fd00:1::9", "echoed"},
                                       {"dns:fd00:1::9", ""}}) {
      json one = InsideProof();
      one["targets"] = {target};
      one["kinds"] = {std::string(target).substr(0, std::string(target).find(':'))};
      const Answer open = site.On("inside", "prove_inside", one);
      EXPECT_EQ(ClaimOf(open).rfind("bubble.closed_inside fails: got through: ", 0), 0u) << PrintToString(open);
      const bool by_either = std::string(target).rfind("dns", 0) == 0;
      EXPECT_THAT(ClaimOf(open), HasSubstr(by_either ? "dns:" : said));
    }
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    EXPECT_TRUE(site.On("inside", "prove_inside", InsideProof()).holds());
  });
}

TEST(Prove, ProvesNothingThroughACutCable) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    In(site.side("inside"), [] { EXPECT_TRUE(Command({"ip", "-6", "route", "del", "default"})); });
    EXPECT_THAT(ClaimOf(site.On("inside", "prove_inside", InsideProof())),
                HasSubstr("unknown: 4 of 4 IPv6 probes never left this host"));
    json unrouted = InsideProof();
    unrouted["unrouted"] = {"ipv6"};
    EXPECT_TRUE(site.On("inside", "prove_inside", unrouted).holds());
    json partial = InsideProof();
    partial["targets"] = {"tcp:10.1.0.9:443", "icmp:10.1.0.9"};
    EXPECT_THAT(ClaimOf(site.On("inside", "prove_inside", partial)), HasSubstr("unknown: nothing was tried over udp"));
    // The coordinator does not answer: perhaps nothing gets to the gateway at all.
    ASSERT_TRUE(Command({"ip", "link", "set", "in0", "down"}));
    const Answer cut = site.On("inside", "prove_inside", unrouted);
    EXPECT_FALSE(cut.holds());
    EXPECT_THAT(ClaimOf(cut), HasSubstr("closed_inside unknown: "));
    json same = InsideProof();
    same["controls"] = {"tcp:10.1.0.9:443"};
    EXPECT_EQ(site.On("inside", "prove_inside", same).code(), "bad_params");
    for (const char* own : {"icmp:10.20.0.2", "icmp:fd00:20::2"}) {
      same["controls"] = {own};
      const Answer answer = site.On("inside", "prove_inside", same);
      EXPECT_EQ(answer.code(), "bad_params") << own;
      EXPECT_THAT(PrintToString(answer), HasSubstr("is this host itself")) << own;
    }
    json nothing = InsideProof();
    nothing["kinds"] = json::array();
    EXPECT_EQ(site.On("inside", "prove_inside", nothing).code(), "bad_params");
    for (const char* text :
         {"10.1.0.9", "http:10.1.0.9:80", "tcp:www:80", "icmp:10.1.0.9 -f", "dns:", "udp:127.0.0.1:53"}) {
      json hostile = InsideProof();
      hostile["targets"] = {text};
      EXPECT_EQ(site.On("inside", "prove_inside", hostile).code(), "bad_params") << text;
    }
  });
}

TEST(Prove, NamesEachHoleThatIsPunchedByHand) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    const std::string table = "reprise_bubble_lab";
    struct Hole {
      std::vector<std::string> nft;
      const char* named;
    };
    const std::vector<Hole> holes = {
        {{"flush", "chain", "inet", table, "marks"}, "chain marks has \"(nothing)\""},
        {{"add", "element", "inet", table, "sealed", "{ ipv4 }"}, "set sealed lacks ipv6"},
        {{"insert", "rule", "inet", table, "forward", "accept"}, "chain forward has \"accept\""},
        {{"insert", "rule", "inet", table, "from_inside", "ip", "daddr", "10.1.0.9", "accept"},
         "chain from_inside has \"ip daddr 10.1.0.9 accept\""},
        {{"insert", "rule", "inet", table, "forward", "meta", "nfproto", "ipv6", "accept"}, "meta nfproto ipv6 accept"},
        {{"insert", "rule", "inet", table, "gateway_in", "udp", "dport", "53", "accept"}, "chain gateway_in"},
        {{"add", "rule", "inet", table, "refuse_in", "return"}, "chain refuse_in"},
        {{"add", "chain", "inet", table, "forward", "{ policy accept; }"}, "policy accept"},
        {{"add", "table", "inet", table, "{ flags dormant; }"}, "a dormant one refuses nothing"},
        {{"flush", "chain", "inet", table, "to_inside"}, "chain to_inside"},
        {{"add", "element", "inet", table, "management4", "{ 10.20.0.2 . 10.1.0.9 . tcp . 443 }"},
         "10.20.0.2 . 10.1.0.9 . tcp . 443, which was never admitted"},
        {{"add", "element", "inet", table, "flows6", "{ fd00:20::2 . fd00:1::9 . tcp . 443 }"},
         "which no decision opened"},
        {{"add", "element", "inet", table, "posts", "{ 10.1.0.16 }"}, "posts has 10.1.0.16, which was never admitted"},
        {{"delete", "element", "inet", table, "inside6", "{ fd00:20::/64 }"}, "inside6 lacks fd00:20::/64"},
        {{"add", "chain", "inet", table, "extra"}, "chain extra is not ours"},
        {{"add", "counter", "inet", table, "extra"}, "counter extra is not ours"},
        {{"add", "map", "inet", table, "extra", "{ type ipv4_addr : verdict; }"}, "map extra is not ours"},
        {{"delete", "table", "inet", table}, "there is no table"}};
    for (const Hole& hole : holes) {
      site.Gateway(VERB_APPLY, "destroy", kLab);
      ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
      std::string said;
      ASSERT_TRUE(Nft(hole.nft, &said)) << hole.named << said;
      const Answer proof = site.Gateway(VERB_PROBE, "prove", kLab);
      EXPECT_FALSE(proof.holds());
      EXPECT_EQ(ClaimOf(proof).rfind("bubble.closed fails: ", 0), 0u) << ClaimOf(proof);
      EXPECT_THAT(ClaimOf(proof), HasSubstr(hole.named));
      EXPECT_FALSE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << hole.named;
      EXPECT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed()) << hole.named;
      EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << hole.named << ": mended";
    }
    // A hole that lets packets through is seen by the provers, too, each from its side.
    ASSERT_TRUE(Nft({"insert", "rule", "inet", table, "forward", "meta", "nfproto", "ipv6", "accept"}));
    EXPECT_THAT(ClaimOf(site.On("inside", "prove_inside", InsideProof())),
                HasSubstr("closed_inside fails: got through: tcp:[fd00:1::9]:443: connected"));
    EXPECT_THAT(ClaimOf(site.On("outside", "prove_outside", OutsideProof())),
                HasSubstr("closed_outside fails: got through: tcp:[fd00:20::2]:5432"));
  });
}

TEST(Prove, FromOutsideSaysThatAPostIsNoProver) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    json post = LabPost(1);
    post["address"] = "10.1.0.2";  // From where the outside proves.
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", post).changed());
    EXPECT_THAT(ClaimOf(site.On("outside", "prove_outside", OutsideProof())),
                HasSubstr("unless this host was admitted as a post: then prove from one that is none"));
  });
}

TEST(Prove, NamesWhatIsOtherwiseInTheGatewaysRouting) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    const auto rule = [](std::vector<std::string> words) {
      words.insert(words.begin() + 1, "rule");
      words.insert(words.begin(), "ip");
      EXPECT_TRUE(Command(words)) << words[1];
    };
    for (const auto& [words, named] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"-4", "del", "pref", "13", "iif", "in0"}, "IPv4 routing lacks the rule \"pref 13 iif in0 blackhole\""},
             {{"-4", "del", "pref", "13", "to", "10.20.0.0/24"}, "IPv4 routing lacks the rule"},
             {{"-6", "del", "pref", "13", "to", "fd00:20::/64"}, "IPv6 routing lacks the rule"},
             {{"-6", "del", "pref", "14"}, "IPv6 routing lacks the rule \"pref 14 nop\""},
             {{"-4", "add", "pref", "13", "iif", "in7", "blackhole"}, "which no bubble wants"}}) {
      const Answer mended = site.Gateway(VERB_APPLY, "gateway", LabBubble());
      ASSERT_TRUE(mended.changed()) << named << PrintToString(mended);
      rule(words);
      const Answer proof = site.Gateway(VERB_PROBE, "prove", kLab);
      EXPECT_EQ(ClaimOf(proof).rfind("bubble.closed fails: ", 0), 0u) << ClaimOf(proof);
      EXPECT_THAT(ClaimOf(proof), HasSubstr(named));
      EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443)) << "the packet filter still refuses";
    }
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    // The site's own, before ours: it would lead past them.
    rule({"-4", "add", "pref", "5", "lookup", "main"});
    EXPECT_THAT(ClaimOf(site.Gateway(VERB_PROBE, "prove", kLab)),
                HasSubstr("IPv4 routing has the rule \"pref 5 lookup main\" before the bubble's"));
    rule({"-4", "del", "pref", "5"});
    rule({"-4", "add", "pref", "5000", "fwmark", "7", "lookup", "main"});
    EXPECT_TRUE(site.Gateway(VERB_PROBE, "gateway", LabBubble()).holds()) << "after ours the site does what it likes";
  });
}

TEST(Prove, FindsWaysAroundTheRules) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    // Some kernels have no address translation, some no flow tables: what is not there leads nowhere.
    std::string said;
    ASSERT_TRUE(Nft({"add", "table", "ip", "turn"}));
    if (Nft({"add", "chain", "ip", "turn", "pre", "{ type nat hook prerouting priority -100; }"}) &&
        Nft({"add", "rule", "ip", "turn", "pre", "ip", "daddr", "10.1.0.2", "dnat", "to", "10.1.0.9:443"})) {
      EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.2", 7443))
          << "a management flow that is turned elsewhere reaches nothing";
    }
    ASSERT_TRUE(Nft({"delete", "table", "ip", "turn"}));
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.2", 7443));
    if (Command({"ip", "link", "add", "link", "in0", "name", "mv0", "type", "macvlan"})) {
      EXPECT_THAT(ClaimOf(site.Gateway(VERB_PROBE, "prove", kLab)), HasSubstr("interface mv0 (macvlan) stands on in0"));
      ASSERT_TRUE(Command({"ip", "link", "del", "mv0"}));
    }
    ASSERT_TRUE(Nft({"add", "table", "inet", "fast"}));
    if (Nft({"add", "flowtable", "inet", "fast", "ft", "{ hook ingress priority 0; devices = { in0, out0 }; }"},
            &said)) {
      EXPECT_THAT(ClaimOf(site.Gateway(VERB_PROBE, "prove", kLab)),
                  HasSubstr("flow table ft of table inet fast leads around the rules"));
    }
    ASSERT_TRUE(Nft({"add", "table", "netdev", "copy"}));
    ASSERT_TRUE(
        Nft({"add", "chain", "netdev", "copy", "c", "{ type filter hook ingress device in0 priority 0; }"}, &said))
        << said;
    if (Nft({"add", "rule", "netdev", "copy", "c", "fwd", "to", "out0"}, &said)) {
      EXPECT_THAT(ClaimOf(site.Gateway(VERB_PROBE, "prove", kLab)),
                  HasSubstr("a rule with fwd in table netdev copy, chain c leads around the rules"));
    }
    ASSERT_TRUE(Nft({"delete", "table", "inet", "fast"}) && Nft({"delete", "table", "netdev", "copy"}));

    ASSERT_TRUE(Command({"ip", "link", "add", "br0", "type", "bridge"}) &&
                Command({"ip", "link", "set", "in0", "master", "br0"}));
    EXPECT_THAT(ClaimOf(site.Gateway(VERB_PROBE, "prove", kLab)), HasSubstr("interface in0 is a port of br0"));
    ASSERT_TRUE(Command({"ip", "link", "del", "in0"}));
    EXPECT_THAT(ClaimOf(site.Gateway(VERB_PROBE, "prove", kLab)), HasSubstr("unknown: interface in0 is not there"));
    EXPECT_THAT(ClaimOf(site.Gateway(VERB_PROBE, "prove", {{"bubble", "other"}})),
                HasSubstr("unknown: this gateway knows no bubble other"));
  });
}

}  // namespace
}  // namespace reprise::bubble
