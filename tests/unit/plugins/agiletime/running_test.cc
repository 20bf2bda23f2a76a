// AgileTime running on a throw-away host: started on its restored base, degraded without interfaces, its variable pay taken
// out as a file, its client on a post that is admitted and on one that is not.
#include "tests/unit/plugins/sdk/application/application_host.h"

namespace reprise::plugins {
namespace {

using ::testing::HasSubstr;

constexpr const char* kModeFile = "/var/lib/reprise-agiletime/service/mode.json";

class Host : public ApplicationHost {
 public:
  Host() : ApplicationHost("/var/lib/reprise-agiletime") {}
  std::string Ask(const std::string& sql) const { return Sql("agiletime", sql, 5501); }
};

json From(const fs::path& dump) { return {{"source", dump.string()}, {"manifest_sha256", ManifestSha256(dump)}}; }

// Restored; false, with a failure, if not.
bool Restored(PluginBench& bench) {
  const Answer applied = bench.Run(VERB_APPLY, "restore", From(SmallAgileTime() / "agiletime.dump"));
  EXPECT_TRUE(applied.changed()) << PrintToString(applied);
  return applied.changed();
}
bool Started(PluginBench& bench) {
  if (!Restored(bench)) return false;
  const Answer started = bench.Run(VERB_APPLY, "start");
  EXPECT_TRUE(started.changed()) << PrintToString(started);
  return started.changed();
}

TEST(AgileTime, StartsOnItsRestoredBaseOnlyAndOnce) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  SmallAgileTime();
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    EXPECT_EQ(bench.Run(VERB_APPLY, "start").code(), "not_restored");
    if (!Restored(bench)) return;
    const Answer before = bench.Run(VERB_PROBE, "start");
    EXPECT_EQ(ClaimIn(before, "agiletime.restored"), "holds") << PrintToString(before);
    EXPECT_EQ(ClaimIn(before, "agiletime.in_test"), "fails");
    const Answer started = bench.Run(VERB_APPLY, "start");
    EXPECT_TRUE(started.changed()) << PrintToString(started);
    const Answer verified = bench.Run(VERB_VERIFY, "start");
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_EQ(ClaimIn(verified, "agiletime.in_test"), "holds");
    EXPECT_EQ(ClaimIn(verified, "agiletime.degraded_no_interface"), "-") << "nobody has asked for that rung";
    const Answer again = bench.Run(VERB_APPLY, "start");
    EXPECT_TRUE(again.done() && !again.changed()) << PrintToString(again);
    EXPECT_EQ(bench.Run(VERB_ROLLBACK, "restore", From(SmallAgileTime() / "agiletime.dump")).code(), "in_use");

    // What the base loses the rungs above it lose too.
    EXPECT_EQ(host.Ask("SET session_replication_role = replica; DELETE FROM planning.ward WHERE ward_id = 5"), "");
    const Answer hurt = bench.Run(VERB_PROBE, "health");
    EXPECT_EQ(ClaimIn(hurt, "agiletime.restored"), "fails") << PrintToString(hurt);
    EXPECT_EQ(ClaimIn(hurt, "agiletime.in_test"), "fails");
  });
}

TEST(AgileTime, ItsServiceSeesNothingOfTheHostButWhatTheProfileNames) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  SmallAgileTime();
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    if (!Started(bench)) return;
    std::string pid = RunHere({"pgrep", "-f", "^/usr/bin/python3 /opt/reprise-standin.*/var/lib/reprise-agiletime/"}).out;
    pid = pid.substr(0, pid.find('\n'));
    ASSERT_FALSE(pid.empty());
    EXPECT_FALSE(fs::exists("/proc/" + pid + "/root/etc/shadow"));
    EXPECT_FALSE(fs::exists("/proc/" + pid + "/root/var/lib/reprise-agiletime/postgres"));
    EXPECT_TRUE(fs::exists("/proc/" + pid + "/root/var/lib/reprise-agiletime/socket"));
    EXPECT_THAT(Slurp("/proc/" + pid + "/status"), HasSubstr("CapEff:\t0000000000000000"));
    EXPECT_THAT(Slurp("/proc/" + pid + "/status"), HasSubstr("Uid:\t65534"));
  });
}

TEST(AgileTime, DegradedModeIsProvenBySocketsAndNotByItsMark) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  SmallAgileTime();
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    EXPECT_EQ(bench.Run(VERB_APPLY, "degraded").code(), "not_running");
    fs::create_directories(fs::path(kModeFile).parent_path());
    Spit(kModeFile, "{\"mode\": \"normal\"}");  // It will listen for its interface.
    if (!Started(bench)) return;
    EXPECT_FALSE(bench.Run(VERB_PROBE, "degraded").holds());
    const Answer applied = bench.Run(VERB_APPLY, "degraded");
    EXPECT_TRUE(applied.changed()) << PrintToString(applied);
    const Answer verified = bench.Run(VERB_VERIFY, "degraded");
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_EQ(ClaimIn(verified, "agiletime.degraded_no_interface"), "holds");
    EXPECT_TRUE(bench.Run(VERB_PROBE, "health").holds());
    EXPECT_FALSE(bench.Run(VERB_APPLY, "degraded").changed());

    {  // Somebody else opens an interface's port.
      const Process intruder({"python3", "-c", "import socket,time; s=socket.create_server(('127.0.0.1',8411)); time.sleep(60)"});
      ASSERT_TRUE(Eventually([&] { return !bench.Run(VERB_PROBE, "health").holds(); }));
      const Answer open = bench.Run(VERB_PROBE, "health");
      EXPECT_EQ(ClaimIn(open, "agiletime.degraded_no_interface"), "fails") << PrintToString(open);
      EXPECT_EQ(ClaimIn(open, "agiletime.in_test"), "holds");
      EXPECT_EQ(bench.Run(VERB_APPLY, "degraded").code(), "interface_open");
    }
    EXPECT_TRUE(bench.Run(VERB_PROBE, "degraded").holds());
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "degraded").done());
    EXPECT_EQ(Slurp(kModeFile), "{\"mode\": \"normal\"}");
    EXPECT_FALSE(bench.Run(VERB_PROBE, "degraded").holds());
  });
}

TEST(AgileTime, StopsInItsOrderAndComesBack) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  SmallAgileTime();
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    if (!Started(bench)) return;
    const json all = {{"cluster", true}};
    const Answer stopped = bench.Run(VERB_APPLY, "stop", all);
    EXPECT_EQ(stopped.value.value("summary", ""), "stopped agiletime, then agiletime-postgres") << PrintToString(stopped);
    EXPECT_FALSE(IsAlive(host.Postmaster()));
    const Answer verified = bench.Run(VERB_VERIFY, "stop", all);
    EXPECT_TRUE(verified.holds());
    EXPECT_EQ(ClaimIn(verified, "agiletime.in_test"), "fails");
    // What cannot be looked at is not known; it is neither good nor bad.
    const Answer health = bench.Run(VERB_PROBE, "health");
    EXPECT_EQ(ClaimIn(health, "agiletime.restored"), "unknown") << PrintToString(health);
    EXPECT_FALSE(bench.Run(VERB_APPLY, "stop", all).changed());
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "stop", all).done());
    EXPECT_TRUE(Eventually([&] { return bench.Run(VERB_PROBE, "health").holds(); }));
  });
}

TEST(AgileTime, ExportsVariablePayThatAgreesWithTheBaseAndIsSigned) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  SmallAgileTime();
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    json params = {{"month", "2022-01"}, {"folder", "/srv/pay"}};
    EXPECT_EQ(bench.Run(VERB_APPLY, "export_evp", params).code(), "not_restored");
    if (!Restored(bench)) return;
    EXPECT_EQ(bench.Run(VERB_APPLY, "export_evp", params).code(), "no_folder");
    fs::create_directories("/srv/pay");
    ASSERT_TRUE(RunHere({"minisign", "-G", "-W", "-f", "-p", "/srv/evp.pub", "-s", "/srv/evp.key"}).ok());
    fs::permissions("/srv/evp.key", fs::perms(0600));
    const std::string file = "/srv/pay/evp-2022-01.csv";

    const Answer unsigned_one = bench.Run(VERB_APPLY, "export_evp", params);
    EXPECT_TRUE(unsigned_one.changed()) << PrintToString(unsigned_one);
    EXPECT_THAT(unsigned_one.value.value("summary", ""), HasSubstr("a person signs it"));
    EXPECT_FALSE(fs::exists(file + ".minisig"));
    params["key_file"] = "/srv/evp.key", params["public_key_file"] = "/srv/evp.pub";
    EXPECT_FALSE(bench.Run(VERB_PROBE, "export_evp", params).holds()) << "not signed yet";
    EXPECT_TRUE(bench.Run(VERB_APPLY, "export_evp", params).changed());
    const Answer verified = bench.Run(VERB_VERIFY, "export_evp", params);
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_EQ(ClaimIn(verified, "agiletime.evp_exported"), "holds");
    EXPECT_FALSE(bench.Run(VERB_APPLY, "export_evp", params).changed());

    // From outside: the tools of whoever receives it.
    EXPECT_TRUE(RunHere({"minisign", "-V", "-q", "-p", "/srv/evp.pub", "-m", file}).ok());
    EXPECT_TRUE(RunHere({"sh", "-c", "cd /srv/pay && sha256sum -c --status evp-2022-01.csv.sha256"}).ok());
    std::istringstream lines(Slurp(file));
    std::map<std::string, double> sums;
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, "matricule,month,element,quantity,unit");
    while (std::getline(lines, line)) {
      const size_t month = line.find(','), element = line.find(',', month + 1), quantity = line.find(',', element + 1);
      sums[line.substr(element + 1, quantity - element - 1)] += std::stod(line.substr(quantity + 1));
    }
    EXPECT_EQ(sums.size(), 4u);
    for (const auto& [element, sum] : sums) {
      EXPECT_DOUBLE_EQ(sum, std::stod(host.Ask("SELECT sum(quantity) FROM planning.evp_line WHERE element_code = '" + element + "'"))) << element;
    }

    // The base goes on: the older file is not lost in silence.
    host.Ask("UPDATE planning.evp_line SET quantity = quantity + 1 WHERE line_id = 1");
    const Answer stale = bench.Run(VERB_VERIFY, "export_evp", params);
    EXPECT_EQ(ClaimIn(stale, "agiletime.evp_exported"), "fails");
    EXPECT_EQ(bench.Run(VERB_APPLY, "export_evp", params).code(), "export_exists");
    params["replace"] = true;
    const Answer replaced = bench.Run(VERB_APPLY, "export_evp", params);
    EXPECT_TRUE(replaced.changed()) << PrintToString(replaced);
    EXPECT_THAT(replaced.value.value("summary", ""), HasSubstr("the one before is kept"));
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "export_evp", params).holds());
    int kept = 0;
    for (const auto& entry : fs::directory_iterator("/srv/pay")) kept += entry.path().filename().string().find("replaced-") != std::string::npos ? 1 : 0;
    EXPECT_EQ(kept, 3);

    // Tampered after the fact.
    std::string content = Slurp(file);
    content.replace(content.find(".00"), 3, ".25");
    Spit(file, content);
    EXPECT_FALSE(bench.Run(VERB_VERIFY, "export_evp", params).holds());
    EXPECT_EQ(bench.Run(VERB_ROLLBACK, "export_evp", params).code(), "changed");
  });
}

// On a host with the base restored and a folder for the pay file.
void WithPayFolder(const std::function<void(PluginBench&)>& body) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  SmallAgileTime();
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    if (!Restored(bench)) return;
    fs::create_directories("/srv/pay");
    body(bench);
  });
}

TEST(AgileTime, AForgedPayFileDoesNotHoldThoughItsTotalsAndItsChecksumAgree) {
  WithPayFolder([](PluginBench& bench) {
    const json params = {{"month", "2022-01"}, {"folder", "/srv/pay"}};
    ASSERT_TRUE(bench.Run(VERB_APPLY, "export_evp", params).changed());
    const std::string file = "/srv/pay/evp-2022-01.csv", good = Slurp(file);
    using Row = std::vector<std::string>;
    std::vector<Row> rows;
    std::istringstream lines(good);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      rows.emplace_back();
      for (std::string field; std::getline(fields, field, ',');) rows.back().push_back(field);
    }
    // Two people of one element who are not paid the same.
    const auto& one = rows.at(1);
    size_t two = 2;
    while (two < rows.size() && (rows[two][2] != one[2] || rows[two][3] == one[3])) ++two;
    ASSERT_LT(two, rows.size());
    const auto forged = [&](const std::function<void(std::vector<Row>&)>& change) {
      std::vector<Row> changed = rows;
      change(changed);
      std::string text;
      for (const Row& row : changed) {
        for (size_t column = 0; column < row.size(); ++column) text += (column == 0 ? "" : ",") + row[column];
        text += "\n";
      }
      EXPECT_NE(text, good);
      Spit(file, text);
      EXPECT_TRUE(RunHere({"sh", "-c", "cd /srv/pay && sha256sum evp-2022-01.csv > evp-2022-01.csv.sha256"}).ok());
      const Answer verified = bench.Run(VERB_VERIFY, "export_evp", params);
      EXPECT_FALSE(verified.holds()) << PrintToString(verified);
      EXPECT_EQ(ClaimIn(verified, "agiletime.evp_exported"), "fails");
      EXPECT_FALSE(bench.Run(VERB_PROBE, "export_evp", params).holds());
      return verified.value.value("summary", "");
    };
    const std::string swapped = forged([&](auto& all) { std::swap(all[1][3], all[two][3]); });
    EXPECT_THAT(swapped, HasSubstr(file + ", line 2: expected " + one[0] + ",2022-01," + one[2] + "," + one[3]));
    EXPECT_THAT(swapped, HasSubstr(", found " + one[0] + ",2022-01," + one[2] + "," + rows[two][3]));
    EXPECT_THAT(swapped, HasSubstr("totals equal to the base's, lines not"));
    EXPECT_THAT(forged([](auto& all) { all[3][0] = "999999"; }), HasSubstr("line 4: expected " + rows[3][0] + ","));
    EXPECT_THAT(forged([](auto& all) { for (size_t n = 1; n < all.size(); ++n) all[n][1] = "2021-01"; }), HasSubstr("line 2: expected"));
    EXPECT_THAT(forged([](auto& all) { all[1][4] = "zzz"; }), HasSubstr(",zzz"));
    EXPECT_THAT(forged([](auto& all) { std::swap(all[1], all[2]); }), HasSubstr("line 2: expected"));
    EXPECT_THAT(forged([](auto& all) { all.pop_back(); }), HasSubstr("found the end of the file"));
    EXPECT_EQ(bench.Run(VERB_APPLY, "export_evp", params).code(), "export_exists");
    Spit(file, good);
    EXPECT_TRUE(bench.Run(VERB_APPLY, "export_evp", params).changed()) << "the checksum is made anew";
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "export_evp", params).holds());
  });
}

TEST(AgileTime, AnExportThatDiffersFromTheBaseNamesTheElementAndWritesNothing) {
  WithPayFolder([](PluginBench& bench) {
    json profile = BuiltinProfile("agiletime");
    profile["exports"][0]["query"] = {"SELECT s.matricule, m.month, m.element_code AS element, m.quantity, 'hour' AS unit FROM planning.evp_month m",
                                      "JOIN planning.staff s USING (staff_id) WHERE m.month = current_setting('reprise.month') AND s.staff_id <> 7"};
    json params = {{"month", "2022-01"}, {"folder", "/srv/pay"}, {"profile_file", ProfileFile(profile)}};
    const Answer differs = bench.Run(VERB_APPLY, "export_evp", params);
    EXPECT_EQ(differs.code(), "totals_differ");
    EXPECT_THAT(differs.result.message, HasSubstr("month 2022-01: "));
    EXPECT_THAT(differs.result.message, HasSubstr("DIMF: the file has 39 lines"));
    EXPECT_TRUE(fs::is_empty("/srv/pay"));
    EXPECT_EQ(bench.Run(VERB_APPLY, "export_evp", {{"month", "2022-13"}, {"folder", "/srv/pay"}}).code(), "bad_params");
    EXPECT_EQ(bench.Run(VERB_APPLY, "export_evp", {{"month", "2022-01"}, {"folder", "/etc"}}).code(), "bad_params");
    EXPECT_EQ(bench.Run(VERB_APPLY, "export_evp", {{"month", "2030-01"}, {"folder", "/srv/pay"}}).code(), "nothing_to_export");
    fs::permissions("/etc/reprise-test-profile.json", fs::perms(0666));
    EXPECT_EQ(bench.Run(VERB_PROBE, "health", {{"profile_file", "/etc/reprise-test-profile.json"}}).code(), "unsafe_path");
  });
}

TEST(AgileTime, APostGetsItsClientOnlyWhereItReachesTheService) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  SmallAgileTime();
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    const std::string launcher = "/usr/share/applications/agiletime.desktop";
    const json params = {{"server", "127.0.0.1:8410"}, {"wait", "1s"}};
    const Answer alone = bench.Run(VERB_APPLY, "post", params);
    EXPECT_EQ(alone.code(), "not_admitted") << PrintToString(alone);
    EXPECT_FALSE(fs::exists(launcher));
    if (!Started(bench)) return;
    EXPECT_TRUE(bench.Run(VERB_APPLY, "post", params).changed());
    EXPECT_THAT(Slurp(launcher), HasSubstr("http://127.0.0.1:8410/"));
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "post", params).holds());
    EXPECT_FALSE(bench.Run(VERB_APPLY, "post", params).changed());

    // The gateway drops what this post sends, as a bubble does to one that is not admitted.
    ASSERT_TRUE(RunHere({"nft", "add", "table", "inet", "gate"}).ok());
    ASSERT_TRUE(RunHere({"nft", "add", "chain", "inet", "gate", "in", "{ type filter hook input priority 0 ; }"}).ok());
    ASSERT_TRUE(RunHere({"nft", "add", "rule", "inet", "gate", "in", "tcp", "dport", "8410", "drop"}).ok());
    const Answer refused = bench.Run(VERB_PROBE, "post", params);
    EXPECT_FALSE(refused.holds());
    EXPECT_EQ(ClaimIn(refused, "agiletime.post"), "fails");
    EXPECT_EQ(bench.Run(VERB_APPLY, "post", params).code(), "not_admitted");
    RunHere({"nft", "delete", "table", "inet", "gate"});

    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "post", params).done());
    EXPECT_FALSE(fs::exists(launcher));
    EXPECT_EQ(bench.Run(VERB_PROBE, "post", json{{"server", "agiletime.example:80"}}).code(), "bad_params");
  });
}

}  // namespace
}  // namespace reprise::plugins
