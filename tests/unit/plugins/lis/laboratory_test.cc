// The laboratory on a throw-away host: its base restored, its interface moved from cut to open and back, with python3-hl7 as
// the other side.
#include "tests/unit/plugins/sdk/application/application_host.h"

namespace reprise::plugins {
namespace {

using ::testing::HasSubstr;

constexpr std::chrono::minutes kLong(3);

fs::path Dumps() { return MakeDumps("lis", {"--samples", "300"}); }
fs::path PeerProgram() { return SourceFolder() / "tests/lab/hl7_peer.py"; }

class Host : public ApplicationHost {
 public:
  Host() : ApplicationHost("/var/lib/reprise-lis") {
    fs::copy_file(SourceFolder() / "tests/lab/lis_service.py", "/opt/reprise-standin/lis_service.py", fs::copy_options::overwrite_existing);
  }
  std::string Ask(const std::string& sql) const { return Sql("lis", sql, 5504); }
};

json From() { return {{"source", (Dumps() / "lis.dump").string()}, {"manifest_sha256", ManifestSha256(Dumps() / "lis.dump")}}; }

bool Started(PluginBench& bench) {
  const Answer restored = bench.Run(VERB_APPLY, "restore", From(), kLong);
  EXPECT_TRUE(restored.changed()) << PrintToString(restored);
  const Answer started = bench.Run(VERB_APPLY, "start", json::object(), kLong);
  EXPECT_TRUE(started.changed()) << PrintToString(started);
  return restored.changed() && started.changed();
}

json To(const std::string& state, const std::string& decision = "D-0012") { return {{"state", state}, {"decision", decision}}; }

// Applied and proven.
void Move(PluginBench& bench, const json& params) {
  const Answer applied = bench.Run(VERB_APPLY, "interface", params, kLong);
  ASSERT_TRUE(applied.changed()) << params.dump() << PrintToString(applied);
  const Answer verified = bench.Run(VERB_VERIFY, "interface", params);
  ASSERT_TRUE(verified.holds()) << params.dump() << PrintToString(verified);
  EXPECT_EQ(ClaimIn(verified, "lis.interface"), "holds");
}
void MoveToSupervised(PluginBench& bench) {
  for (const char* state : {"proposed", "approved", "open_supervised"}) ASSERT_NO_FATAL_FAILURE(Move(bench, To(state)));
}

sdk::RunResult Peer(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"/usr/bin/python3", PeerProgram()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunHere(command, std::chrono::seconds(60));
}
// One message, whatever is in it; the MSA segment that comes back.
std::string Said(const std::string& message) {
  const sdk::RunResult result = RunHere({"/usr/bin/python3", "-c",
                                         "import sys\nfrom hl7.client import MLLPClient\nwith MLLPClient('127.0.0.1', 2575) as client:\n"
                                         "    print(client.send_message(sys.argv[1]).decode().split('\\r')[1])",
                                         message}, std::chrono::seconds(60));
  return result.out.substr(0, result.out.find('\n')) + result.err;
}
std::string Request(const std::string& id, const std::string& number, const std::string& more = "") {
  return "MSH|^~\\&|DPI|HR1|LIS|LAB|20220907120000||ORM^O01|" + id + "|P|2.5\rPV1|1|I|W001^1\rORC|NW|" + number + "\rOBR|1|" + number + "||NA\r" + more;
}
size_t Lines(const std::string& text, const std::string& with) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(with, at)) != std::string::npos; at += with.size()) ++count;
  return count;
}

std::string Ledger(int last) {
  std::string text = "# what the record sent\n";
  for (int n = 1; n <= last; ++n) text += "P" + std::to_string(n) + "\n";
  Spit("/srv/ledger.txt", text);
  return "/srv/ledger.txt";
}

std::string WithLaboratory(const std::function<void(PluginBench&, Host&)>& body, const Artifacts& artifacts = {}) {
  if (geteuid() != 0) return "needs root";
  if (access("/usr/lib/python3/dist-packages/hl7/client.py", R_OK) != 0) return "needs python3-hl7";
  Dumps();
  return OnThrowawayHost("lis", artifacts, [&](PluginBench& bench) {
    Host host;
    if (Started(bench)) body(bench, host);
  });
}
#define WITH_LABORATORY(...) \
  if (const std::string why_not = WithLaboratory(__VA_ARGS__); !why_not.empty()) GTEST_SKIP() << why_not

TEST(Lis, ItsInterfaceStaysCutUntilEveryStepWasTaken) {
  WITH_LABORATORY([](PluginBench& bench, Host&) {
    EXPECT_TRUE(bench.Run(VERB_PROBE, "interface", To("cut", "")).holds());
    EXPECT_FALSE(Peer({"send", "127.0.0.1", "2575", "1", "1"}).ok()) << "nobody listens";
    for (const char* state : {"approved", "open_supervised", "open"}) {
      const Answer jumped = bench.Run(VERB_APPLY, "interface", To(state));
      EXPECT_EQ(jumped.code(), "illegal_move") << state << PrintToString(jumped);
      EXPECT_THAT(jumped.result.hint, HasSubstr("proposed"));
    }
    ASSERT_NO_FATAL_FAILURE(Move(bench, To("proposed")));
    EXPECT_EQ(bench.Run(VERB_APPLY, "interface", To("approved", "")).code(), "no_decision");
    ASSERT_NO_FATAL_FAILURE(Move(bench, To("approved")));
    const Answer approved = bench.Run(VERB_PROBE, "interface", To("approved"));
    EXPECT_EQ(approved.value.at("observed").at("listens"), false);
    EXPECT_FALSE(Peer({"send", "127.0.0.1", "2575", "1", "1"}).ok()) << "approved is not open";
    EXPECT_EQ(ClaimIn(approved, "lis.interfaced"), "fails");
  });
}

TEST(Lis, ExchangesMessagesUnderSupervisionAndOpensWhenTheyAreReconciled) {
  WITH_LABORATORY([](PluginBench& bench, Host& host) {
    ASSERT_NO_FATAL_FAILURE(MoveToSupervised(bench));
    const sdk::RunResult sent = Peer({"send", "127.0.0.1", "2575", "1", "40"});
    ASSERT_TRUE(sent.ok()) << sent.err;
    EXPECT_EQ(Lines(sent.out, " AA"), 40u) << sent.out;
    EXPECT_EQ(host.Ask("SELECT count(*) FROM lab.request WHERE control_id LIKE 'P%'"), "40");
    // The acknowledgement was lost: the other side sends again, the laboratory keeps it once.
    EXPECT_EQ(Lines(Peer({"send", "127.0.0.1", "2575", "7", "9"}).out, " AA"), 3u);
    const Answer verified = bench.Run(VERB_VERIFY, "interface", To("open_supervised"));
    EXPECT_THAT(verified.value.at("summary").get<std::string>(), HasSubstr("40 in, 0 out, 0 refused, 5 waiting"));
    EXPECT_EQ(ClaimIn(verified, "lis.interfaced"), "fails") << "supervised is not open";

    EXPECT_EQ(bench.Run(VERB_APPLY, "interface", To("open")).code(), "not_reconciled") << "without the other side's list";
    json open = To("open", "D-0013");
    open["ledger"] = Ledger(42);
    const Answer lost = bench.Run(VERB_APPLY, "interface", open);
    EXPECT_EQ(lost.code(), "not_reconciled");
    EXPECT_THAT(lost.result.message, HasSubstr("2 lost (P41, P42)"));
    EXPECT_THAT(lost.result.message, HasSubstr("5 of ours still wait"));

    const Answer reconciled = bench.Run(VERB_PROBE, "reconcile", {{"ledger", Ledger(40)}});
    EXPECT_FALSE(reconciled.holds());
    EXPECT_EQ(reconciled.value.at("observed").at("backlog"), 5);
    EXPECT_EQ(reconciled.value.at("observed").at("lost"), json::array());
    host.Ask("UPDATE hl7.message SET ack = 'AA', at = now() WHERE direction = 'out'");
    open["ledger"] = Ledger(40);
    ASSERT_NO_FATAL_FAILURE(Move(bench, open));
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "interface", open), "lis.interfaced"), "holds");
    const Answer nominal = bench.Run(VERB_PROBE, "reconcile", {{"ledger", Ledger(40)}});
    EXPECT_TRUE(nominal.holds()) << PrintToString(nominal);
    EXPECT_EQ(ClaimIn(nominal, "lis.nominal"), "fails") << "its analysers are still cut";
    EXPECT_EQ(nominal.value.at("observed").at("out"), 5);

    ASSERT_NO_FATAL_FAILURE(Move(bench, To("cut", "D-0014")));
    EXPECT_FALSE(Peer({"send", "127.0.0.1", "2575", "50", "50"}).ok()) << "cut again";
    EXPECT_FALSE(fs::exists("/etc/service/lis-connector"));
    EXPECT_EQ(bench.Run(VERB_ROLLBACK, "interface", To("cut", "D-0014")).code(), "not_undone");
  });
}

TEST(Lis, RefusedMessagesKeepItSupervised) {
  WITH_LABORATORY([](PluginBench& bench, Host& host) {
    ASSERT_NO_FATAL_FAILURE(MoveToSupervised(bench));
    host.Ask("UPDATE hl7.message SET ack = 'AA' WHERE direction = 'out'");
    EXPECT_EQ(Lines(Peer({"send", "127.0.0.1", "2575", "1", "3"}).out, " AA"), 3u);
    const sdk::RunResult bad = Peer({"bad", "127.0.0.1", "2575", "X1"});
    EXPECT_THAT(bad.out, HasSubstr("X1 AR")) << bad.err;
    json open = To("open");
    open["ledger"] = Ledger(3);
    const Answer refused = bench.Run(VERB_APPLY, "interface", open);
    EXPECT_EQ(refused.code(), "not_reconciled");
    EXPECT_THAT(refused.result.message, HasSubstr("1 were refused, expected at most 0"));
    open["min_messages"] = 4;
    open["nack_max"] = 1;
    EXPECT_THAT(bench.Run(VERB_APPLY, "interface", open).result.message, HasSubstr("expected at least 4"));
    open["min_messages"] = 3;
    ASSERT_NO_FATAL_FAILURE(Move(bench, open));
  });
}

TEST(Lis, AcknowledgesOnlyWhatItHasKept) {
  WITH_LABORATORY([](PluginBench& bench, Host& host) {
    ASSERT_NO_FATAL_FAILURE(MoveToSupervised(bench));
    host.Ask("UPDATE hl7.message SET ack = 'AA' WHERE direction = 'out'");
    const std::string all = "SELECT string_agg(m.control_id || ' ' || coalesce(r.request_no, '-'), ', ' ORDER BY m.message_id) FROM hl7.message m"
                            " LEFT JOIN lab.request r USING (control_id) WHERE m.direction = 'in' AND m.control_id LIKE 'P%'";
    EXPECT_EQ(Said(Request("P1", "P1-R")), "MSA|AA|P1|");
    EXPECT_EQ(Said(Request("P1", "P1-R")), "MSA|AA|P1|duplicate");
    EXPECT_EQ(Said(Request("P1", "P1-R", "NTE|1||other\r")), "MSA|AE|P1|taken already with another content, or without its request");
    EXPECT_EQ(Said(Request("P1", "OTHER-R")), "MSA|AE|P1|taken already with another content, or without its request");
    EXPECT_EQ(Said(Request("P2", "P1-R")), "MSA|AE|P2|this request number is taken by another");
    EXPECT_EQ(host.Ask(all), "P1 P1-R") << "what was refused changed nothing";
    EXPECT_EQ(Said(Request("P2", "P2-R")), "MSA|AA|P2|") << "mended by the other side";
    EXPECT_EQ(host.Ask(all), "P1 P1-R, P2 P2-R");
  });
}

TEST(Lis, DoesNotOpenWhenAnAcknowledgedRequestIsNotInTheLaboratorysTable) {
  WITH_LABORATORY([](PluginBench& bench, Host& host) {
    ASSERT_NO_FATAL_FAILURE(MoveToSupervised(bench));
    host.Ask("UPDATE hl7.message SET ack = 'AA' WHERE direction = 'out'");
    EXPECT_EQ(Lines(Peer({"send", "127.0.0.1", "2575", "1", "3"}).out, " AA"), 3u);
    host.Ask("DELETE FROM lab.request WHERE control_id = 'P2'");
    json open = To("open");
    open["ledger"] = Ledger(3);
    const Answer refused = bench.Run(VERB_APPLY, "interface", open);
    EXPECT_EQ(refused.code(), "not_reconciled") << PrintToString(refused);
    EXPECT_THAT(refused.result.message, HasSubstr("1 acknowledged and not in the laboratory's own tables (P2)"));
    const Answer reconciled = bench.Run(VERB_PROBE, "reconcile", {{"ledger", Ledger(3)}});
    EXPECT_FALSE(reconciled.holds());
    EXPECT_EQ(reconciled.value.at("observed").at("unmade"), json::array({"P2"}));
    host.Ask("INSERT INTO lab.request VALUES ('P2-R', 'W001', now(), 'P2')");
    ASSERT_NO_FATAL_FAILURE(Move(bench, open));
  });
}

TEST(Lis, RefusesParametersThatNobodyCanMean) {
  WITH_LABORATORY([](PluginBench& bench, Host&) {
    for (const char* time : {"0s", "999ms", "31d", "720h1s"}) {
      json params = To("proposed");
      params["supervise_for"] = time;
      const Answer refused = bench.Run(VERB_APPLY, "interface", params);
      EXPECT_EQ(refused.code(), "bad_params") << time << PrintToString(refused);
      EXPECT_THAT(refused.result.message, HasSubstr("expected 1s to 30d"));
      EXPECT_EQ(bench.Run(VERB_PLAN, "interface", params).code(), "bad_params") << time;
    }
    for (const char* decision : {"D-1\nD-2", "D-1\x1b[2J", "D\x7f", "   "}) {
      const Answer refused = bench.Run(VERB_APPLY, "interface", To("proposed", decision));
      EXPECT_EQ(refused.code(), "bad_params") << PrintToString(refused);
      EXPECT_THAT(refused.result.message, HasSubstr("parameter decision is no line of text"));
    }
    EXPECT_TRUE(bench.Run(VERB_PROBE, "interface", To("cut", "")).holds()) << "nothing was moved";
    json longest = To("proposed");
    longest["supervise_for"] = "30d";
    ASSERT_NO_FATAL_FAILURE(Move(bench, longest));
    const Answer missing = bench.Run(VERB_PROBE, "reconcile", {{"ledger", "/srv/nowhere.txt"}});
    EXPECT_EQ(missing.code(), "no_ledger") << PrintToString(missing);
    EXPECT_THAT(missing.result.hint, HasSubstr("ledger.txt"));
  });
}

TEST(Lis, SendsWhatWaitedOnceEachWhenItIsOpened) {
  // Another connector is data: this one also sends.
  json connector = json::parse(Slurp(SourceFolder() / "plugins/lis/profiles/lis-interface.json"));
  for (const char* word : {"--peer", "127.0.0.1:2576"}) connector["service"]["command"].push_back(word);
  const fs::path file = fs::path(::testing::TempDir()) / "lis.interface.json";
  Spit(file, connector.dump());
  const std::string why_not = WithLaboratory([](PluginBench& bench, Host& host) {
    const Process peer({"/usr/bin/python3", PeerProgram(), "receive", "127.0.0.1", "2576", "/srv/received", "5"});
    ASSERT_NO_FATAL_FAILURE(MoveToSupervised(bench));
    ASSERT_TRUE(Eventually([&] { return host.Ask("SELECT count(*) FROM hl7.message WHERE direction = 'out' AND ack = 'AA'") == "5"; }));
    EXPECT_EQ(Slurp("/srv/received"), "RES1\nRES2\nRES3\nRES4\nRES5\n");
    const Answer verified = bench.Run(VERB_VERIFY, "interface", To("open_supervised"));
    EXPECT_THAT(verified.value.at("summary").get<std::string>(), HasSubstr("0 in, 5 out, 0 refused, 0 waiting"));
  }, {{"lis.interface.json", file}});
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(Lis, IsTakenBackStepByStepAndKilledInTheMiddleGoesOn) {
  WITH_LABORATORY([](PluginBench& bench, Host&) {
    for (const char* state : {"proposed", "approved"}) ASSERT_NO_FATAL_FAILURE(Move(bench, To(state)));
    for (const int after_ms : {80, 200, 500}) {
      auto running = bench.Start(VERB_APPLY, "interface", To("open_supervised"), kLong);
      running.wait_for(std::chrono::milliseconds(after_ms));
      bench.KillAll();
      const Answer probed = bench.Run(VERB_PROBE, "interface", To("open_supervised"));
      ASSERT_TRUE(probed.done()) << PrintToString(probed);
      if (probed.value.at("observed").at("state") == "approved") {
        EXPECT_EQ(probed.value.at("observed").at("listens"), false) << "nothing listens that the record does not know of";
      }
    }
    const Answer applied = bench.Run(VERB_APPLY, "interface", To("open_supervised"), kLong);
    ASSERT_TRUE(applied.done()) << PrintToString(applied);
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "interface", To("open_supervised")).holds());
    EXPECT_FALSE(bench.Run(VERB_APPLY, "interface", To("open_supervised")).changed());

    ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "interface", To("open_supervised"), kLong).done());
    EXPECT_TRUE(bench.Run(VERB_PROBE, "interface", To("approved")).holds());
    EXPECT_FALSE(Peer({"send", "127.0.0.1", "2575", "1", "1"}).ok());
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "interface", To("approved", "D-other")).done());
    EXPECT_TRUE(bench.Run(VERB_PROBE, "interface", To("approved")).holds()) << "another decision's step is not undone";
  });
}

TEST(Lis, TellsWhatListensFromWhatIsRecorded) {
  WITH_LABORATORY([](PluginBench& bench, Host& host) {
    {  // Cut by its record, and somebody listens all the same.
      const Process intruder({"/usr/bin/python3", "-c", "import socket,time; s=socket.create_server(('127.0.0.1',2575)); time.sleep(60)"});
      ASSERT_TRUE(Eventually([&] { return !bench.Run(VERB_PROBE, "interface", To("cut", "")).holds(); }));
      EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "interface", To("cut", "")), "lis.interface"), "fails");
      json hurry = To("cut", "");
      hurry["wait"] = "1s";
      EXPECT_EQ(bench.Run(VERB_APPLY, "interface", hurry).code(), "unhealthy");
    }
    ASSERT_NO_FATAL_FAILURE(MoveToSupervised(bench));
    host.Sql("postgres", "ALTER DATABASE lis WITH ALLOW_CONNECTIONS false", 5504);
    // In training mode it still answers; what is real is refused, and counted by the other side.
    EXPECT_EQ(Lines(Peer({"send", "127.0.0.1", "2575", "1", "1"}).out, " AE"), 1u);
    host.Sql("postgres", "ALTER DATABASE lis WITH ALLOW_CONNECTIONS true", 5504);

    RunHere({"sv", "down", "/etc/service/lis-connector"});
    const Answer down = bench.Run(VERB_PROBE, "interface", To("open_supervised"));
    EXPECT_EQ(ClaimIn(down, "lis.interface"), "fails") << PrintToString(down);
    EXPECT_TRUE(bench.Run(VERB_APPLY, "interface", To("open_supervised"), kLong).changed());
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "interface", To("open_supervised")).holds());
  });
}

TEST(Lis, SupervisionEnds) {
  WITH_LABORATORY([](PluginBench& bench, Host&) {
    for (const char* state : {"proposed", "approved"}) ASSERT_NO_FATAL_FAILURE(Move(bench, To(state)));
    json brief = To("open_supervised");
    brief["supervise_for"] = "1s";
    ASSERT_TRUE(bench.Run(VERB_APPLY, "interface", brief, kLong).changed());
    ASSERT_TRUE(Eventually([&] { return !bench.Run(VERB_PROBE, "interface", brief).holds(); }));
    EXPECT_EQ(bench.Run(VERB_APPLY, "interface", brief).code(), "supervision_over");
    ASSERT_NO_FATAL_FAILURE(Move(bench, To("cut")));
  });
}

TEST(Lis, ClimbsItsLadderOneRungAtATime) {
  // One interface and no other: opened, nothing is missing.
  json profile = json::parse(Slurp(SourceFolder() / "plugins/lis/profiles/lis.json"));
  profile["interfaces"].erase(1);
  const fs::path file = fs::path(::testing::TempDir()) / "lis.profile.json";
  Spit(file, profile.dump());
  const std::string why_not = WithLaboratory([](PluginBench& bench, Host& host) {
    const Answer in_test = bench.Run(VERB_PROBE, "health");
    EXPECT_EQ(ClaimIn(in_test, "lis.restored"), "holds") << PrintToString(in_test);
    EXPECT_EQ(ClaimIn(in_test, "lis.in_test"), "holds");
    EXPECT_EQ(ClaimIn(in_test, "lis.degraded_no_interface"), "-") << "nobody has accepted it";
    const json accepted = {{"owner", "head of the laboratory"}, {"protocol", "LIS-T1"}, {"reference", "D-0011"},
                           {"manifests", {"lis=" + From()["manifest_sha256"].get<std::string>()}}};
    ASSERT_TRUE(bench.Run(VERB_APPLY, "degraded").done());
    const Answer acceptance = bench.Run(VERB_APPLY, "accept", accepted);
    ASSERT_TRUE(acceptance.changed()) << PrintToString(acceptance);
    const Answer degraded = bench.Run(VERB_PROBE, "health");
    EXPECT_EQ(ClaimIn(degraded, "lis.degraded_no_interface"), "holds") << PrintToString(degraded);
    EXPECT_EQ(ClaimIn(degraded, "lis.interfaced"), "fails");
    ASSERT_NO_FATAL_FAILURE(MoveToSupervised(bench));
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "health"), "lis.degraded_no_interface"), "holds") << "opened by people: no fault";
    host.Ask("UPDATE hl7.message SET ack = 'AA' WHERE direction = 'out'");
    EXPECT_TRUE(Peer({"send", "127.0.0.1", "2575", "1", "2"}).ok());
    json open = To("open");
    open["ledger"] = Ledger(2);
    ASSERT_NO_FATAL_FAILURE(Move(bench, open));
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "health"), "lis.interfaced"), "holds");
    // Asked in any way, an open interface takes nothing from the rungs below.
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "degraded"), "lis.degraded_no_interface"), "holds");
    EXPECT_TRUE(bench.Run(VERB_PROBE, "accept", accepted).holds());
    EXPECT_FALSE(bench.Run(VERB_APPLY, "accept", accepted).changed());
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "reconcile", {{"ledger", Ledger(2)}}), "lis.nominal"), "holds");
  }, {{"lis.profile.json", file}});
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

}  // namespace
}  // namespace reprise::plugins
