// The decisions without a network: addresses, targets, and what attempts prove.
#include "plugins/bubble/evidence.h"

#include <gmock/gmock.h>

#include "plugins/bubble/statement.h"
#include "plugins/bubble/table.h"
#include "plugins/sdk/error.h"

namespace reprise::bubble {
namespace {

using sdk::ClaimState;
using sdk::Json;
using ::testing::HasSubstr;

Attempt Tried(const std::string& target, Outcome outcome) {
  return {ParseTarget(target, "targets"), outcome,
          target + ": " + (outcome == Outcome::kAnswered ? "connected" : "no answer")};
}

const std::vector<Attempt> kAlive = {Tried("tcp:10.1.0.2:7443", Outcome::kAnswered)};
const std::vector<Attempt> kDead = {Tried("tcp:10.1.0.2:7443", Outcome::kSilent)};

TEST(Judge, SaysClosedOnlyWhenAControlWasAliveBeforeAndAfter) {
  const std::vector<Attempt> silent = {Tried("tcp:10.1.0.9:443", Outcome::kSilent),
                                       Tried("udp:10.1.0.9:53", Outcome::kUnreachable)};
  EXPECT_EQ(Judge(silent, kAlive, kAlive, {"tcp", "udp"}, {}).state, ClaimState::kHolds);
  EXPECT_EQ(Judge(silent, kDead, kAlive, {"tcp"}, {}).state, ClaimState::kUnknown);
  EXPECT_EQ(Judge(silent, kAlive, kDead, {"tcp"}, {}).state, ClaimState::kUnknown);
  EXPECT_THAT(Judge(silent, kAlive, kDead, {"tcp"}, {}).detail, HasSubstr("after the probes"));
  // A control that says "my port is closed" may be a wall that says so.
  const std::vector<Attempt> refused = {Tried("tcp:10.1.0.2:7443", Outcome::kRefused)};
  EXPECT_EQ(Judge(silent, refused, refused, {"tcp"}, {}).state, ClaimState::kUnknown);
}

TEST(Judge, FailsByOneThatGotThroughEvenWhenNothingElseIsKnown) {
  for (const Outcome outcome : {Outcome::kAnswered, Outcome::kRefused}) {
    const auto proof = Judge({Tried("tcp:10.1.0.9:443", Outcome::kSilent), Tried("dns:10.1.0.9", outcome)}, kDead,
                             kDead, {"icmp"}, {});
    EXPECT_EQ(proof.state, ClaimState::kFails);
    EXPECT_THAT(proof.detail, HasSubstr("got through: dns:10.1.0.9"));
  }
}

TEST(Judge, WantsEachFamilyAndKindLookedAt) {
  const Attempt six = Tried("tcp:[fd00::9]:443", Outcome::kSilent),
                unsent = Tried("tcp:[fd00::9]:443", Outcome::kNotSent);
  const Attempt four = Tried("tcp:10.1.0.9:443", Outcome::kSilent);
  EXPECT_EQ(Judge({four}, kAlive, kAlive, {"tcp", "ipv6"}, {}).state, ClaimState::kUnknown) << "IPv6 was not tried";
  EXPECT_EQ(Judge({four, six}, kAlive, kAlive, {"tcp", "ipv6"}, {}).state, ClaimState::kUnknown)
      << "no control over IPv6";
  EXPECT_EQ(Judge({four, six}, kAlive, kAlive, {"tcp", "ipv6"}, {"ipv6"}).state, ClaimState::kUnknown)
      << "it was sent, so there is a route";
  EXPECT_EQ(Judge({four, unsent}, kAlive, kAlive, {"tcp", "ipv6"}, {}).state, ClaimState::kUnknown);
  EXPECT_EQ(Judge({four, unsent}, kAlive, kAlive, {"tcp", "ipv6"}, {"ipv6"}).state, ClaimState::kHolds);
  const std::vector<Attempt> both = {kAlive[0], Tried("icmp:fd00::1", Outcome::kAnswered)};
  EXPECT_EQ(Judge({four, six}, both, both, {"tcp", "ipv6"}, {}).state, ClaimState::kHolds);
}

TEST(Address, IsOneHostInOneSpelling) {
  EXPECT_EQ(ParseAddress("fd00:0:0::1", "a").text, "fd00::1");
  EXPECT_EQ(ParseMac("AA:bb:cc:00:00:01", "a"), "aa:bb:cc:00:00:01");
  EXPECT_EQ(ParseService("udp:[fd00:0::1]:53", "a").Shown(), "udp:[fd00::1]:53");
  EXPECT_EQ(ParseSubnet("fd00:20:0::/64", "a").text, "fd00:20::/64");
  EXPECT_TRUE(ParseSubnet("10.20.0.0/22", "a").Contains(ParseAddress("10.20.3.255", "a")));
  EXPECT_FALSE(ParseSubnet("10.20.0.0/22", "a").Contains(ParseAddress("10.20.4.0", "a")));
  for (const char* text :
       {"", "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "169.254.1.1", "::", "::1", "fe80::1", "ff02::1",
        "::ffff:10.0.0.1", "10.0.0.1/8", "10.0.0", "host", "10.0.0.1\n", "fd00::1%eth0"}) {
    EXPECT_THROW(ParseAddress(text, "a"), sdk::Error) << text;
  }
}

TEST(RuleText, ShowsWhatItDoesNotUnderstandAsItIs) {
  EXPECT_EQ(RuleText(Json::parse(
                R"([{"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"in0"}},{"goto":{"target":"x"}}])")),
            "iifname \"in0\" goto x");
  EXPECT_EQ(
      RuleText(Json::parse(
          R"([{"match":{"op":"!=","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":{"prefix":{"addr":"10.0.0.0","len":8}}}},{"drop":null}])")),
      "ip saddr != 10.0.0.0/8 drop");
  EXPECT_THAT(RuleText(Json::parse(R"([{"queue":{"num":1}}])")), HasSubstr("queue"));
  EXPECT_THROW(TableFrom("nonsense"), sdk::Error);
  EXPECT_EQ(
      WaysAround(
          R"({"nftables":[{"flowtable":{"family":"inet","name":"ft","table":"fast","hook":"ingress","prio":0,"dev":["a","b"]}}]})"),
      std::vector<std::string>{"flow table ft of table inet fast"});
  EXPECT_EQ(
      WaysAround(
          R"({"nftables":[{"rule":{"family":"netdev","table":"t","chain":"c","expr":[{"fwd":{"dev":"eth1"}}]}}]})"),
      std::vector<std::string>{"a rule with fwd in table netdev t, chain c"});
}

}  // namespace
}  // namespace reprise::bubble
