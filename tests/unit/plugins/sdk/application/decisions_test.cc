// The small decisions of an application adapter: rungs, sums, sockets, words of a run script, HTTP.
#include <gmock/gmock.h>

#include "plugins/sdk/application/csv.h"
#include "plugins/sdk/application/http.h"
#include "plugins/sdk/application/ladder.h"
#include "plugins/sdk/application/postgres.h"
#include "plugins/sdk/application/standing.h"
#include "plugins/sdk/application/supervised.h"

namespace reprise::sdk::application {
namespace {

using ::testing::HasSubstr;

TEST(Ladder, NoRungHoldsAboveOneThatDoesNot) {
  Ladder ladder("x");
  ladder.Put(Rung::kRestored, ClaimState::kHolds, "rows");
  EXPECT_TRUE(ladder.holds());
  ladder.Put(Rung::kInTest, ClaimState::kUnknown, "not looked at");
  ladder.Put(Rung::kDegradedNoInterface, ClaimState::kHolds, "none open");
  EXPECT_FALSE(ladder.holds());
  EXPECT_EQ(ladder.claims()[0].name, "x.restored");
  EXPECT_EQ(ladder.claims()[2].name, "x.degraded_no_interface");
  EXPECT_EQ(ladder.claims()[2].state, ClaimState::kUnknown);
  EXPECT_THAT(ladder.claims()[2].detail, HasSubstr("below it: x.in_test: not looked at"));
}

TEST(Decimals, AreExact) {
  EXPECT_EQ(ParseDecimal("12.5"), 125000);
  EXPECT_EQ(ParseDecimal("-0.0001"), -1);
  EXPECT_EQ(ParseDecimal("7"), 70000);
  EXPECT_EQ(ParseDecimal("1.50000"), 15000);
  for (const char* text : {"", "-", ".", "1e3", "1.00001", "1,5", " 1", "1.2.3", "99999999999999999"}) EXPECT_EQ(ParseDecimal(text), std::nullopt) << text;
  EXPECT_EQ(ShowDecimal(-15000), "-1.50");
  EXPECT_EQ(ShowDecimal(1234567), "123.4567");
}

TEST(Csv, IsReadAsPostgreSqlWritesIt) {
  const auto rows = ParseCsv("a,b\n\"x,\"\"y\"\"\n\",\n");
  EXPECT_EQ(rows[1][0], "x,\"y\"\n");
  EXPECT_EQ(rows[1][1], "");
  EXPECT_THROW(ParseCsv("a,b\n1,2"), Error) << "cut off";
  EXPECT_THROW(TotalsOfCsv("a,b\n1\n", "a", "b"), Error);
  EXPECT_THROW(TotalsOfCsv("a,b\n1,x\n", "a", "b"), Error);
  EXPECT_THROW(TotalsOfCsv("a,c\n1,2\n", "a", "b"), Error);
}

TEST(Totals, NameEachDifference) {
  const Totals file = TotalsOfCsv("element,quantity\nNUIT,1.5\nNUIT,2\nASTR,1\nODD,4\n", "element", "quantity");
  EXPECT_EQ(file.at("NUIT"), (Total{2, 35000}));
  EXPECT_EQ(WhyNotEqual(file, file), "");
  const std::string differs = WhyNotEqual(file, {{"NUIT", {2, 35001}}, {"ASTR", {1, 10000}}, {"HSUP", {1, 1}}});
  EXPECT_THAT(differs, HasSubstr("NUIT: the file has 2 lines, 3.50, the base 2 lines, 3.5001"));
  EXPECT_THAT(differs, HasSubstr("HSUP: missing in the file"));
  EXPECT_THAT(differs, HasSubstr("ODD: in the file, but not in the base"));
  EXPECT_EQ(differs.find("ASTR"), std::string::npos);
}

TEST(Lines, TheFirstThatDiffersIsNamedWithWhatWasExpected) {
  EXPECT_EQ(WhyNotSameLines("a,b\n1,2\n", "a,b\n1,2\n"), "");
  EXPECT_EQ(WhyNotSameLines("a,b\n1,3\n2,2\n", "a,b\n1,2\n2,3\n"), "line 2: expected 1,2, found 1,3");
  EXPECT_EQ(WhyNotSameLines("a,b\n", "a,b\n1,2\n"), "line 2: expected 1,2, found the end of the file");
  EXPECT_EQ(WhyNotSameLines("a,b\n1,2\n1,2\n", "a,b\n1,2\n"), "line 3: expected the end of the file, found 1,2");
  EXPECT_EQ(WhyNotSameLines("a,b\n1,2", "a,b\n1,2\n"), "line 2: expected 1,2, found 1,2 without an end of line");
  EXPECT_EQ(WhyNotSameLines("", ""), "");
}

constexpr const char* kSockets =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:20DB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n"
    "   1: 0500000A:C001 0600000A:0185 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n"
    "   2: 0500000A:C002 0700000A:0A0F 06 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n";

TEST(Sockets, AreReadFromTheKernelsList) {
  const auto sockets = ParseSockets(kSockets);
  ASSERT_TRUE(sockets.has_value());
  EXPECT_TRUE((*sockets)[0].listens && (*sockets)[0].local_port == 8411 && (*sockets)[0].local == "127.0.0.1");
  EXPECT_TRUE((*sockets)[1].connected && (*sockets)[1].remote == "10.0.0.6" && (*sockets)[1].remote_port == 389);
  EXPECT_FALSE((*sockets)[2].connected) << "it is over";
  EXPECT_EQ(ParseSockets("nonsense"), std::nullopt);
}

TEST(Interfaces, AreOpenWhenTheyListenOrAreConnectedAndUnknownWhenTheKernelIsSilent) {
  Profile profile;
  profile.interfaces = {{"hl7", {2575}, {":2575"}}};
  EXPECT_EQ(LookAtInterfaces(profile, ParseSockets(kSockets)).state, ClaimState::kHolds);
  EXPECT_EQ(LookAtInterfaces(profile, std::nullopt).state, ClaimState::kUnknown);
  profile.interfaces = {{"pay", {8411}, {}}};
  EXPECT_EQ(LookAtInterfaces(profile, ParseSockets(kSockets)).state, ClaimState::kFails);
  profile.interfaces = {{"directory", {}, {":389"}}};
  EXPECT_EQ(LookAtInterfaces(profile, ParseSockets(kSockets)).state, ClaimState::kFails);
  profile.interfaces = {{"directory", {}, {"10.0.0.9:389"}}};
  EXPECT_EQ(LookAtInterfaces(profile, ParseSockets(kSockets)).state, ClaimState::kHolds) << "another one's";
}

TEST(RunScript, QuotesWhatTheDataSay) {
  ServiceSpec spec;
  spec.name = "x", spec.title = "X", spec.user = "nobody";
  spec.command = {"/usr/bin/echo", "it's; $(id) `id`"};
  EXPECT_THAT(RunitScript(spec), HasSubstr("'/usr/bin/echo' 'it'\\''s; $(id) `id`'\n"));
  EXPECT_EQ(RunitScript(spec).find("bwrap"), std::string::npos);
  EXPECT_THAT(SystemdUnit(spec), HasSubstr("\"it's; $$(id) `id`\""));
  spec.reads = {"/opt/x"};
  EXPECT_THAT(RunitScript(spec), HasSubstr("'/usr/bin/bwrap'"));
  EXPECT_THAT(RunitScript(spec), HasSubstr("'--ro-bind' '/opt/x' '/opt/x'"));
}

TEST(Sql, TextsAndNamesAreQuoted) {
  EXPECT_EQ(SqlText("it's"), "'it''s'");
  EXPECT_EQ(SqlName("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(FirstComplaint("psql: NOTICE: x\nERROR:  duplicate key\nDETAIL:  Key (ipp)=(8000) exists\n"), "ERROR:  duplicate key");
}

TEST(Http, FieldsAreFoundByTheirPath) {
  EXPECT_EQ(FieldOf(R"({"a":{"b":3}})", "a.b"), "3");
  EXPECT_EQ(FieldOf(R"({"a":"x"})", "a"), "x");
  EXPECT_EQ(FieldOf(R"({"a":{}})", "a"), std::nullopt);
  EXPECT_EQ(FieldOf("nonsense", "a"), std::nullopt);
  EXPECT_EQ(ParseAddress("[fd00::1]:80").host, "fd00::1");
  for (const char* text : {"host:80", "10.0.0.1", "10.0.0.1:0", "10.0.0.1:70000", "10.0.0.1:8x"}) EXPECT_THROW(ParseAddress(text), Error) << text;
}

}  // namespace
}  // namespace reprise::sdk::application
