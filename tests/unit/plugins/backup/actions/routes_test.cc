// What a reader host may have a route to, and what the action sees of the real one.
#include "plugins/backup/actions/routes.h"

#include <gmock/gmock.h>

#include "tests/unit/plugins/backup/actions/reader_host.h"

namespace reprise::backup {
namespace {

using namespace plugins;  // NOLINT: the verbs' names.

std::vector<Route> Beyond(const std::string& json, const std::vector<std::string>& allowed, bool ipv6 = false) {
  std::vector<Prefix> prefixes;
  for (const std::string& text : allowed) prefixes.push_back(ParsePrefix(text, "allow"));
  return RoutesBeyond(RoutesOf(json, ipv6), prefixes);
}

TEST(Routes, OnlyWhatIsAllowedMayBeReached) {
  const std::string shown = R"([{"dst":"10.0.0.0/24","dev":"eth0","scope":"link"},
    {"type":"local","dst":"10.0.0.9","dev":"eth0","table":"local"},{"type":"broadcast","dst":"10.0.0.255","dev":"eth0"},
    {"type":"local","dst":"127.0.0.0/8","dev":"lo"}])";
  EXPECT_TRUE(Beyond(shown, {"10.0.0.0/24"}).empty());
  EXPECT_TRUE(Beyond(shown, {"10.0.0.0/16"}).empty());
  EXPECT_EQ(Beyond(shown, {"10.0.0.5"}).size(), 1u);
  EXPECT_EQ(Beyond(shown, {"10.0.1.0/24"}).size(), 1u);
}

TEST(Routes, ADefaultRouteIsNeverAllowedNorHalfOfOne) {
  EXPECT_EQ(Beyond(R"([{"dst":"default","gateway":"10.0.0.1","dev":"eth0"}])", {"10.0.0.0/8"}).size(), 1u);
  EXPECT_EQ(Beyond(R"([{"dst":"0.0.0.0/1","gateway":"10.0.0.1","dev":"tun0"}])", {"10.0.0.0/8"}).size(), 1u);
  EXPECT_EQ(Beyond(R"([{"dst":"default","gateway":"fe80::1","dev":"eth0"}])", {"fd00::/8"}, true).size(), 1u);
  EXPECT_TRUE(Beyond(R"([{"type":"unreachable","dst":"default","dev":"lo"}])", {"fd00::/8"}, true).empty());
}

TEST(Routes, WhatIsNotUnderstoodIsNoGoodNews) {
  EXPECT_THROW(RoutesOf("nothing", false), sdk::Error);
  EXPECT_THROW(RoutesOf(R"([{"dst":"everywhere","dev":"eth0"}])", false), sdk::Error);
  EXPECT_THROW(ParsePrefix("10.0.0.0/33", "allow"), sdk::Error);
  EXPECT_THROW(ParsePrefix("coordinator", "allow"), sdk::Error);
}

TEST(ReaderHostAction, LooksAtTheRoutesOfThisVeryHost) {
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    // A network of its own, with nothing but a link.
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    ASSERT_TRUE(RunProgram({"ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1"}));
    ASSERT_TRUE(RunProgram({"ip", "address", "add", "10.9.0.2/24", "dev", "d0"}));
    for (const char* link : {"d0", "d1"}) ASSERT_TRUE(RunProgram({"ip", "link", "set", link, "up"}));
    bench.KillAll();  // A runner of this network.
    const json allowed = {{"allow", {"10.9.0.0/24", "fe80::/64"}}, {"forbidden", {"192.0.2.1:443"}}};
    Answer answer = bench.Run(VERB_PROBE, "reader", allowed);
    EXPECT_TRUE(answer.holds()) << ::testing::PrintToString(answer);
    EXPECT_EQ(StateOf(answer, "backup.reader_closed"), "holds");
    EXPECT_FALSE(bench.Run(VERB_PROBE, "reader", {{"allow", {"10.9.0.1", "fe80::/64"}}}).holds());
    ASSERT_TRUE(RunProgram({"ip", "route", "add", "default", "via", "10.9.0.1"}));
    answer = bench.Run(VERB_PROBE, "reader", allowed);
    EXPECT_FALSE(answer.holds());
    EXPECT_EQ(StateOf(answer, "backup.reader_closed"), "fails");
    EXPECT_EQ(bench.Run(VERB_PROBE, "reader", {{"allow", {"0.0.0.0/0"}}}).code(), "bad_params");
  });
}

}  // namespace
}  // namespace reprise::backup
