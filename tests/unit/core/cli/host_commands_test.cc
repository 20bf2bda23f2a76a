#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/model/authorization.h"
#include "tests/unit/core/cli/plans.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

ops::HostView Host(const std::string& name) {
  ops::HostView host;
  host.set_name(name);
  host.set_zone(model::v1::ZONE_DIRTY);
  host.set_asset_class(model::v1::ASSET_CLASS_WORKSTATION);
  host.set_trust(model::v1::TRUST_STATE_SUSPECT);
  host.set_in_inventory(true);
  host.set_agent_expected(true);
  host.set_enrolled(true);
  host.set_connected(true);
  host.set_last_contact_ms(kNoon - 5'000);
  return host;
}

ops::HostView Admitted(ops::HostView host, uint64_t serial = 4) {
  host.set_admitted(true);
  host.set_statement_serial(serial);
  return host;
}

struct Hosts : Desk {
  explicit Hosts(const std::vector<ops::HostView>& hosts, const std::string& person = "alice")
      : Desk({{"host", "ls", "", DeclareHostLs},
              {"host", "show", "", DeclareHostShow},
              {"host", "token", "", DeclareHostToken},
              {"host", "admit", "", DeclareHostAdmit},
              {"host", "hold", "", DeclareHostHold},
              {"host", "release", "", DeclareHostRelease},
              {"host", "zone", "", DeclareHostZone},
              {"host", "expel", "", DeclareHostExpel}},
             person) {
    ops::HostList list;
    for (const auto& host : hosts) *list.add_hosts() = host;
    coordinator.Answer("ListHosts", list);
    coordinator.Answer("RecordHostStatements", ops::Empty());
  }
  // What was signed, each checked as the coordinator and the host's agent do.
  std::vector<model::HostStatement> Stated() const {
    std::vector<model::HostStatement> stated;
    for (const auto& request : coordinator.Heard<ops::HostStatementsRequest>("RecordHostStatements")) {
      for (const auto& statement : request.statements()) {
        const auto checked = model::CheckHostStatement(people.Keyring(), statement);
        EXPECT_OK(checked);
        if (checked.ok()) stated.push_back(*checked);
      }
    }
    return stated;
  }
};

TEST(HostAdmit, SignsOneStatementAHostInOneCall) {
  Hosts desk({Host("ws-001"), Admitted(Host("ws-002"))});
  EXPECT_EQ(desk.Run({"host", "admit", "ws-001", "ws-002", "--zone", "rebuilt", "--trust", "cleaned", "--yes"}),
            kExitOk)
      << desk.Err();
  const auto stated = desk.Stated();
  ASSERT_EQ(stated.size(), 2);
  EXPECT_EQ(desk.coordinator.Heard<ops::HostStatementsRequest>("RecordHostStatements").size(), 1);
  EXPECT_EQ(stated[0].host, "ws-001");
  EXPECT_EQ(stated[0].serial, 1);
  EXPECT_EQ(stated[1].serial, 5);  // Above the newest known.
  EXPECT_EQ(stated[1].zone, model::v1::ZONE_REBUILT);
  EXPECT_EQ(stated[1].trust, model::v1::TRUST_STATE_CLEANED);
  EXPECT_EQ(stated[1].asset_class, model::v1::ASSET_CLASS_WORKSTATION);
  EXPECT_THAT(desk.Out(), HasSubstr("2 hosts admitted into zone rebuilt"));
}

// A coordinator restored from an older copy knows it from the agent only.
TEST(HostAdmit, GoesBeyondTheSerialThatTheAgentHasSeen) {
  ops::HostView host = Admitted(Host("ws-001"));
  host.set_statement_serial_seen(9);
  Hosts desk({host});
  EXPECT_EQ(desk.Run({"host", "admit", "ws-001", "--zone", "rebuilt", "--yes"}), kExitOk) << desk.Err();
  ASSERT_EQ(desk.Stated().size(), 1);
  EXPECT_EQ(desk.Stated()[0].serial, 10);
}

TEST(HostAdmit, LeavesAloneWhatIsAlreadySo) {
  Hosts desk({Admitted(Host("ws-001"))});
  EXPECT_EQ(desk.Run({"host", "admit", "ws-001", "--zone", "dirty", "--yes"}), kExitOk);
  EXPECT_TRUE(desk.Stated().empty());
  EXPECT_THAT(desk.Err(), HasSubstr("already so"));
}

TEST(HostAdmit, SignsNothingUnlessConfirmed) {
  Hosts desk({Host("ws-001")});
  desk.terminal.answers = {"n"};
  EXPECT_EQ(desk.Run({"host", "admit", "ws-001", "--zone", "dirty"}), kExitFailure);
  EXPECT_TRUE(desk.Stated().empty());
}

TEST(HostAdmit, IsRefusedHereToWhoIsNoAdmin) {
  Hosts desk({Host("ws-001")}, "bob");
  EXPECT_EQ(desk.Run({"host", "admit", "ws-001", "--zone", "dirty"}), kExitRefused);
  EXPECT_TRUE(desk.terminal.questions.empty());
  EXPECT_TRUE(desk.coordinator.Heard<ops::HostStatementsRequest>("RecordHostStatements").empty());
}

TEST(HostAdmit, NamesTheNearestZoneAndHost) {
  Hosts desk({Host("ws-001")});
  EXPECT_EQ(desk.Run({"host", "admit", "ws-001", "--zone", "dirt", "--yes"}), kExitUsage);
  EXPECT_THAT(desk.Err(), HasSubstr("did you mean dirty?"));
  EXPECT_EQ(desk.Run({"host", "admit", "ws-01", "--zone", "dirty", "--yes"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("did you mean ws-001?"));
  EXPECT_EQ(desk.Run({"host", "admit", "--zone", "dirty", "--yes"}), kExitUsage);
}

TEST(HostHold, KeepsEverythingElseAsItIs) {
  Hosts desk({Admitted(Host("ws-001"))});
  EXPECT_EQ(desk.Run({"host", "hold", "ws-001", "--reason", "police", "--yes"}), kExitOk);
  ASSERT_EQ(desk.Stated().size(), 1);
  const auto stated = desk.Stated().front();
  EXPECT_EQ(stated.hold, "police");
  EXPECT_EQ(stated.zone, model::v1::ZONE_DIRTY);
  EXPECT_EQ(stated.trust, model::v1::TRUST_STATE_SUSPECT);
}

TEST(HostHold, IsRefusedHereWithAReasonThatTheCoordinatorWouldNotTake) {
  Hosts desk({Admitted(Host("ws-001"))});
  EXPECT_EQ(desk.Run({"host", "hold", "ws-001", "--yes", "--reason", std::string(20'000, 'x')}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("the reason to hold ws-001 is 20000 bytes long; at most 2048"));
  EXPECT_TRUE(desk.Stated().empty());
}

TEST(HostHold, DoesNotLetAHostInThatNobodyAdmitted) {
  Hosts desk({Host("ws-001")});
  EXPECT_EQ(desk.Run({"host", "hold", "ws-001", "--reason", "police", "--yes"}), kExitOk);
  ASSERT_EQ(desk.Stated().size(), 1);
  EXPECT_EQ(desk.Stated().front().zone, model::v1::ZONE_QUARANTINE);
}

TEST(HostRelease, TakesTheHoldAwayAndNothingElse) {
  ops::HostView held = Admitted(Host("ws-001"));
  held.set_hold("police");
  Hosts desk({held, Admitted(Host("ws-002"))});
  EXPECT_EQ(desk.Run({"host", "release", "ws-001", "--yes"}), kExitOk);
  ASSERT_EQ(desk.Stated().size(), 1);
  EXPECT_EQ(desk.Stated().front().hold, "");
  EXPECT_EQ(desk.Run({"host", "release", "ws-002", "--yes"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("not under evidence hold"));
}

TEST(HostZone, TakesItsLastWordForTheZone) {
  Hosts desk({Admitted(Host("ws-001")), Admitted(Host("ws-002")), Host("ws-003")});
  EXPECT_EQ(desk.Run({"host", "zone", "ws-001", "ws-002", "bubble", "--yes"}), kExitOk) << desk.Err();
  ASSERT_EQ(desk.Stated().size(), 2);
  EXPECT_EQ(desk.Stated()[1].host, "ws-002");
  EXPECT_EQ(desk.Stated()[1].zone, model::v1::ZONE_BUBBLE);
  EXPECT_EQ(desk.Run({"host", "zone", "ws-003", "bubble", "--yes"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("reprise host admit ws-003 --zone bubble"));
  EXPECT_EQ(desk.Run({"host", "zone", "ws-001", "--yes"}), kExitUsage);
}

TEST(HostLs, SaysHowEachReallyStands) {
  ops::HostView silent = Admitted(Host("ws-002"));
  silent.set_connected(false);
  silent.set_last_contact_ms(kNoon - 3 * kHour);
  silent.set_hold("police");
  auto& claim = *silent.add_claims();
  claim.set_name("edr.protected");
  claim.set_state(model::v1::CLAIM_STATE_FAILS);
  ops::HostView printer = Host("mri-1");
  printer.set_agent_expected(false);
  printer.set_enrolled(false);
  printer.set_connected(false);
  Hosts desk({Host("ws-001"), silent, printer});
  EXPECT_EQ(desk.Run({"host", "ls"}), kExitOk);
  EXPECT_THAT(desk.Out(),
              AllOf(HasSubstr("connected, not admitted"), HasSubstr("silent, on hold"), HasSubstr("3 h ago"),
                    HasSubstr("edr.protected fails"), HasSubstr("no agent"), HasSubstr("3 hosts: 1 connected")));
  EXPECT_EQ(desk.Run({"host", "ls", "--selector", "zone =="}), kExitUsage);
}

TEST(HostShow, TellsClaimsAndFacts) {
  Hosts desk({});
  ops::HostView host = Admitted(Host("ws-001"));
  host.set_facts_json(R"({"os":"Debian 12","disk":{"free_gb":4}})");
  host.set_facts_ms(kNoon - kHour);
  desk.coordinator.Answer("GetHost", host);
  EXPECT_EQ(desk.Run({"host", "show", "ws-001"}), kExitOk);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("  os: Debian 12\n"), HasSubstr("  disk.free_gb: 4\n"), HasSubstr("serial 4"),
                                HasSubstr("no probe has stated anything")));
}

TEST(HostShow, TellsHowOldAClaimIsAndTheNewestFirst) {
  Hosts desk({});
  ops::HostView host = Admitted(Host("gw-rh-1"));
  const auto say = [&host](const char* name, model::v1::ClaimState state, UnixMs at, const char* detail) {
    auto& claim = *host.add_claims();
    claim.set_name(name);
    claim.set_state(state);
    claim.set_at_ms(at);
    claim.set_detail(detail);
  };
  say("bubble.gateway", model::v1::CLAIM_STATE_HOLDS, kNoon - 3 * kHour, "0 of 4 posts");
  say("bubble.closed", model::v1::CLAIM_STATE_FAILS, kNoon - 60'000, "a packet came through");
  desk.coordinator.Answer("GetHost", host);
  EXPECT_EQ(desk.Run({"host", "show", "gw-rh-1"}), kExitOk);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("fails  60 s ago (" + FormatTime(kNoon - 60'000) + ")"),
                                HasSubstr("holds  3 h ago (" + FormatTime(kNoon - 3 * kHour) + ")")));
  EXPECT_LT(desk.Out().find("bubble.closed"), desk.Out().find("bubble.gateway"));
}

TEST(HostShow, TellsMeasures) {
  Hosts desk({});
  ops::HostView host = Admitted(Host("gw-rh-1"));
  const auto measure = [&host](const char* name, const char* subject, double value) {
    auto& told = *host.add_measures();
    told.set_name(name);
    told.set_subject(subject);
    told.set_value(value);
    told.set_at_ms(kNoon - 60'000);
  };
  measure("bubble.posts", "pharmax", 4);
  measure("bubble.refused", "outward", 1'234'567'890);
  measure("bubble.share", "", 0.25);
  desk.coordinator.Answer("GetHost", host);
  EXPECT_EQ(desk.Run({"host", "show", "gw-rh-1"}), kExitOk);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("MEASURE"), HasSubstr("bubble.posts    pharmax  4           60 s ago"),
                                HasSubstr("1234567890"), HasSubstr("0.25")));
}

ops::HostView Expelled(ops::HostView host) {
  host.set_enrolled(false);
  host.set_admitted(false);
  host.set_connected(false);
  host.set_expelled_ms(kNoon - kHour);
  host.set_expelled_by("alice");
  host.set_expelled_reason("its disk was copied");
  return host;
}

TEST(HostExpel, AsksAndSaysWhatTheWayBackIs) {
  Hosts desk({});
  desk.coordinator.Answer("ExpelHost", Expelled(Host("ws-001")));
  EXPECT_EQ(desk.Run({"host", "expel", "ws-001", "--yes"}), kExitUsage) << "a reason is part of it";
  desk.terminal.answers = {"n"};
  EXPECT_EQ(desk.Run({"host", "expel", "ws-001", "--reason", "stolen"}), kExitFailure);
  EXPECT_TRUE(desk.coordinator.Heard<ops::ExpelHostRequest>("ExpelHost").empty());
  EXPECT_EQ(desk.Run({"host", "expel", "ws-001", "--reason", "stolen", "--yes"}), kExitOk) << desk.Err();
  EXPECT_EQ(desk.coordinator.Last<ops::ExpelHostRequest>("ExpelHost").reason(), "stolen");
  EXPECT_THAT(desk.Out(), HasSubstr("ws-001 expelled"));
  EXPECT_THAT(desk.Err(), HasSubstr("reprise host token ws-001"));
}

TEST(HostShow, SaysWhoExpelledAHostAndWhy) {
  Hosts desk({Expelled(Host("ws-001")), Host("ws-002")});
  EXPECT_EQ(desk.Run({"host", "ls"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("expelled by alice (its disk was copied)"));
  desk.coordinator.Answer("GetHost", Expelled(Host("ws-001")));
  EXPECT_EQ(desk.Run({"host", "show", "ws-001"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("60 min ago by alice: its disk was copied"));
}

TEST(HostShow, SaysThatTwoAgentsUseOneIdentityAndThatAnAdmissionIsOver) {
  Hosts desk({});
  ops::HostView host = Host("ws-001");
  host.set_statement_serial(4);
  host.set_contested_ms(kNoon - kHour);
  host.set_contested_between("10.0.0.1 and 10.0.0.9");
  desk.coordinator.Answer("GetHost", host);
  EXPECT_EQ(desk.Run({"host", "show", "ws-001"}), kExitOk);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("contested"), HasSubstr("10.0.0.1 and 10.0.0.9"),
                                HasSubstr("reprise host expel ws-001"), HasSubstr("none in force: serial 4")));
}

struct Tokens : Hosts {
  explicit Tokens(const std::vector<ops::HostView>& hosts) : Hosts(hosts) {
    coordinator.On<ops::IssueTokensRequest, ops::IssueTokensResponse>(
        "IssueTokens", [](const ops::IssueTokensRequest& request) -> absl::StatusOr<ops::IssueTokensResponse> {
          ops::IssueTokensResponse response;
          for (const auto& host : request.hosts()) {
            auto& token = *response.add_tokens();
            token.set_host(host);
            token.set_join_code(
                absl::StrCat(host, ":secret-of-", host, ":", std::string(64, 'a'), ":", std::string(64, 'b')));
            token.set_expires_ms(kNoon + kHour);
          }
          response.set_join_until_ms(kNoon + kHour);
          return response;
        });
  }
};

TEST(HostToken, PutsNothingButWholeCodesOnStandardOutput) {
  Tokens desk({Host("ws-001"), Host("ws-002")});
  desk.terminal.width = 40;
  EXPECT_EQ(desk.Run({"host", "token", "ws-001", "ws-002", "--ttl", "8h"}), kExitOk);
  EXPECT_EQ(desk.coordinator.Last<ops::IssueTokensRequest>("IssueTokens").ttl_ms(), 8 * kHour);
  const std::string tail = absl::StrCat(":", std::string(64, 'a'), ":", std::string(64, 'b'), "\n");
  EXPECT_EQ(desk.Out(), absl::StrCat("ws-001:secret-of-ws-001", tail, "ws-002:secret-of-ws-002", tail));
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("10.77.0.1:7445"), Not(HasSubstr("secret-of"))));
}

TEST(HostToken, PrintsASheetNarrowEnoughForPaper) {
  Tokens desk({Host("ws-001")});
  EXPECT_EQ(desk.Run({"host", "token", "ws-001", "--sheet"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("--code \\\nws-001:\\\nsecret-of-ws-001:\\\n"));
  std::istringstream lines(desk.Out());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80) << line;
}

TEST(HostToken, FindsThoseThatAreMissing) {
  ops::HostView missing = Host("ws-002");
  missing.set_enrolled(false);
  ops::HostView machine = missing;
  machine.set_name("mri-1");
  machine.set_agent_expected(false);
  ops::HostView expelled = Expelled(Host("ws-003"));
  Tokens desk({Host("ws-001"), missing, machine, expelled});
  EXPECT_EQ(desk.Run({"host", "token", "--all-missing"}), kExitOk);
  EXPECT_THAT(desk.coordinator.Last<ops::IssueTokensRequest>("IssueTokens").hosts(), ::testing::ElementsAre("ws-002"));
  EXPECT_EQ(desk.Run({"host", "token", "mri-1"}), kExitFailure);
  EXPECT_EQ(desk.Run({"host", "token", "ws-001", "--ttl", "90d"}), kExitUsage);
}

}  // namespace
}  // namespace reprise::cli::testing
