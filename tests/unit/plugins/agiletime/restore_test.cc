// agiletime.restore on a throw-away host: real dumps, a real PostgreSQL of its own, and what can go wrong in between.
#include <sys/mount.h>

#include "tests/unit/plugins/sdk/application/application_host.h"

namespace reprise::plugins {
namespace {

constexpr const char* kFolder = "/var/lib/reprise-agiletime";

class Host : public ApplicationHost {
 public:
  Host() : ApplicationHost(kFolder) {}
  std::string Ask(const std::string& base, const std::string& sql) const { return Sql(base, sql, 5501); }
  std::string Bases() const {
    return Ask("postgres", "SELECT coalesce(string_agg(datname, ' ' ORDER BY datname), '') FROM pg_database WHERE datname LIKE 'agiletime%'");
  }
};

std::string Short(const fs::path& dump) { return ManifestSha256(dump).substr(0, 12); }
json From(const fs::path& dump) { return {{"source", dump.string()}, {"manifest_sha256", ManifestSha256(dump)}}; }

TEST(AgileTimeRestore, TheWholeBaseOfAHospitalComesBackAndIsProvenRowByRow) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path dump = MakeDumps("agiletime", {}) / "agiletime.dump";
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    const json params = From(dump);
    Answer probed = bench.Run(VERB_PROBE, "restore", params);
    EXPECT_FALSE(probed.holds()) << PrintToString(probed);
    EXPECT_EQ(ClaimIn(probed, "agiletime.data_found"), "holds");
    EXPECT_EQ(ClaimIn(probed, "agiletime.data_ok"), "holds");
    EXPECT_EQ(ClaimIn(probed, "agiletime.restored"), "fails");
    const auto began = std::chrono::steady_clock::now();
    const Answer applied = bench.Run(VERB_APPLY, "restore", params, std::chrono::minutes(5));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
    EXPECT_TRUE(applied.changed()) << PrintToString(applied);
    const Answer verified = bench.Run(VERB_VERIFY, "restore", params, std::chrono::minutes(5));
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_EQ(ClaimIn(verified, "agiletime.restored"), "holds");
    EXPECT_EQ(host.Ask("agiletime", "SELECT count(*) FROM planning.planning"), "885400");
    EXPECT_EQ(host.Ask("agiletime", "SELECT count(*) FROM planning.staff"), "3800");
    EXPECT_EQ(host.Bases(), "agiletime");
    EXPECT_TRUE(bench.Run(VERB_PROBE, "restore", params).holds());
    const Answer again = bench.Run(VERB_APPLY, "restore", params);
    EXPECT_TRUE(again.done() && !again.changed()) << PrintToString(again);
    ::testing::Test::RecordProperty("restore_ms", std::to_string(took));
    std::printf("restored and proven: %s in %lld ms\n", applied.value.value("summary", "").c_str(), static_cast<long long>(took));
  });
}

TEST(AgileTimeRestore, PlainAndTarDumpsAndArtifactsOfTheStepComeBackAlike) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path dumps = SmallAgileTime();
  for (const char* name : {"agiletime.sql", "agiletime.tar"}) {
    ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
      const Host host;
      const Answer applied = bench.Run(VERB_APPLY, "restore", From(dumps / name));
      EXPECT_TRUE(applied.changed()) << name << PrintToString(applied);
      EXPECT_TRUE(bench.Run(VERB_VERIFY, "restore", From(dumps / name)).holds()) << name;
      EXPECT_EQ(host.Ask("agiletime", "SELECT count(*) FROM planning.planning"), "1240");
    });
  }
  ON_THROWAWAY_HOST("agiletime", (Artifacts{{"agiletime.dump", dumps / "agiletime.dump"}}), [&](PluginBench& bench) {
    const Host host;
    const json params = {{"manifest_sha256", ManifestSha256(dumps / "agiletime.dump")}};
    EXPECT_TRUE(bench.Run(VERB_APPLY, "restore", params).changed());
    const Answer verified = bench.Run(VERB_VERIFY, "restore", params);
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
  });
}

TEST(AgileTimeRestore, AnotherCopyThanTheOneJudgedIsRefusedBeforeAnythingIsTouched) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path dump = SmallAgileTime() / "agiletime.dump";
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    const json params = {{"source", dump.string()}, {"manifest_sha256", std::string(64, 'a')}};
    const Answer probed = bench.Run(VERB_PROBE, "restore", params);
    EXPECT_EQ(ClaimIn(probed, "agiletime.data_found"), "holds");
    EXPECT_EQ(ClaimIn(probed, "agiletime.data_ok"), "fails");
    EXPECT_EQ(bench.Run(VERB_APPLY, "restore", params).code(), "wrong_copy");
    EXPECT_FALSE(bench.Run(VERB_VERIFY, "restore", params).holds());
    EXPECT_FALSE(fs::exists(kFolder));
    EXPECT_EQ(bench.Run(VERB_PROBE, "restore", json{{"source", dump.string()}, {"manifest_sha256", "abc"}}).code(), "bad_params");
    const Answer gone = bench.Run(VERB_PROBE, "restore", json{{"source", "/nowhere"}, {"manifest_sha256", std::string(64, 'a')}});
    EXPECT_EQ(ClaimIn(gone, "agiletime.data_found"), "fails") << PrintToString(gone);
  });
}

TEST(AgileTimeRestore, ADumpThatIsCutOffOrCarriesCommandsIsRefusedWhateverWasJudged) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path dumps = SmallAgileTime();
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    const auto refused = [&](const std::string& name, const std::string& content) {
      const fs::path file = "/srv/" + name;
      Spit(file, content);
      return bench.Run(VERB_APPLY, "restore", From(file)).code();
    };
    const std::string archive = Slurp(dumps / "agiletime.dump"), plain = Slurp(dumps / "agiletime.sql");
    EXPECT_EQ(refused("agiletime-1.dump", archive.substr(0, archive.size() - 3000)), "truncated_dump");
    EXPECT_EQ(refused("agiletime-2.dump", archive.substr(0, archive.size() / 2)), "truncated_dump");
    EXPECT_EQ(refused("agiletime-3.sql", plain.substr(0, plain.size() / 2)), "truncated_dump");
    EXPECT_EQ(refused("agiletime-4.sql", plain + "\\! touch /srv/owned\n"), "hostile_dump");
    EXPECT_EQ(refused("agiletime-5.sql", "SELECT 1 \\g |touch /srv/owned\n" + plain), "hostile_dump");
    // What psql does not read as its own command is still no superuser's.
    EXPECT_EQ(refused("agiletime-6.sql", "COPY (SELECT 1) TO PROGRAM 'touch /srv/owned';\n" + plain), "restore_failed");
    EXPECT_FALSE(fs::exists("/srv/owned"));
    EXPECT_EQ(host.Bases(), "agiletime_restoring");  // Half of one, under no other name.
    EXPECT_TRUE(bench.Run(VERB_APPLY, "restore", From(dumps / "agiletime.dump")).changed());
    EXPECT_EQ(host.Bases(), "agiletime");
  });
}

TEST(AgileTimeRestore, KilledAnywhereTheNextTryBringsItAllBack) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path dump = MakeDumps("agiletime", {"--staff", "1200", "--days", "120"}) / "agiletime.dump";
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    const json params = From(dump);
    int halves = 0;
    const auto kill_after = [&](int delay_ms, bool once_it_restores) {
      const auto running = bench.Start(VERB_APPLY, "restore", params, std::chrono::minutes(2));
      if (once_it_restores) {
        EXPECT_TRUE(Eventually([&] { return host.Bases() == "agiletime_restoring"; })) << host.Bases();
      }
      running.wait_for(std::chrono::milliseconds(delay_ms));
      bench.KillAll();
      const Answer probed = bench.Run(VERB_PROBE, "restore", params);
      EXPECT_TRUE(probed.done()) << PrintToString(probed);
      const std::string bases = host.Bases();
      halves += bases == "agiletime_restoring" ? 1 : 0;
      EXPECT_EQ(probed.holds(), bases == "agiletime") << delay_ms << ": " << bases;
    };
    for (const int delay_ms : {200, 900, 1800}) kill_after(delay_ms, false);  // Reading; making the cluster.
    // Restoring, and comparing: from its first instant on, however fast the machine was until then.
    for (const int delay_ms : {0, 300, 700}) {
      for (const char* base : {"agiletime", "agiletime_restoring"}) {
        host.Ask("postgres", "DROP DATABASE IF EXISTS " + std::string(base) + " WITH (FORCE)");
      }
      kill_after(delay_ms, true);
    }
    EXPECT_GT(halves, 0) << "no kill hit the restore itself";
    const Answer applied = bench.Run(VERB_APPLY, "restore", params, std::chrono::minutes(2));
    EXPECT_TRUE(applied.done()) << PrintToString(applied);
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "restore", params, std::chrono::minutes(2)).holds());
    EXPECT_EQ(host.Bases(), "agiletime");
  });
}

TEST(AgileTimeRestore, PostgreSqlKilledInTheMiddleIsAClearErrorAndTheNextTryBeginsAnew) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path small = SmallAgileTime() / "agiletime.dump";
  const fs::path dump = MakeDumps("agiletime", {}) / "agiletime.dump";
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    // The cluster is there already, so that it is the restore that is hit.
    ASSERT_TRUE(bench.Run(VERB_APPLY, "restore", From(small)).changed());
    ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "restore", json{{"source", small.string()}, {"manifest_sha256", std::string(64, 'b')}}).done());
    host.Ask("postgres", "DROP DATABASE agiletime");
    auto running = bench.Start(VERB_APPLY, "restore", From(dump), std::chrono::minutes(3));
    ASSERT_TRUE(Eventually([&] { return host.Bases() == "agiletime_restoring"; }));
    const pid_t postmaster = host.Postmaster();
    ASSERT_GT(postmaster, 0);
    kill(postmaster, SIGKILL);
    const Answer cut = running.get();
    EXPECT_EQ(cut.code(), "base_gone") << PrintToString(cut);
    ASSERT_TRUE(Eventually([&] { return host.Postmaster() != postmaster && host.Bases() == "agiletime_restoring"; })) << host.Bases();
    EXPECT_FALSE(bench.Run(VERB_PROBE, "restore", From(dump)).holds());
    const Answer applied = bench.Run(VERB_APPLY, "restore", From(dump), std::chrono::minutes(3));
    EXPECT_TRUE(applied.changed()) << PrintToString(applied);
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "restore", From(dump), std::chrono::minutes(3)).holds());
  });
}

TEST(AgileTimeRestore, AFullDiskIsNamedAndWithRoomTheNextTrySucceeds) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path dump = MakeDumps("agiletime", {"--staff", "1200", "--days", "120"}) / "agiletime.dump";
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    fs::create_directories(kFolder);
    ASSERT_EQ(mount("reprise-small", kFolder, "tmpfs", 0, "size=70m,mode=755"), 0);
    const Answer full = bench.Run(VERB_APPLY, "restore", From(dump), std::chrono::minutes(2));
    EXPECT_EQ(full.code(), "disk_full") << PrintToString(full);
    EXPECT_FALSE(bench.Run(VERB_PROBE, "restore", From(dump)).holds());
    EXPECT_NE(host.Bases(), "agiletime");
    ASSERT_EQ(mount("reprise-small", kFolder, "tmpfs", MS_REMOUNT, "size=1g,mode=755"), 0);
    const Answer applied = bench.Run(VERB_APPLY, "restore", From(dump), std::chrono::minutes(2));
    EXPECT_TRUE(applied.changed()) << PrintToString(applied);
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "restore", From(dump), std::chrono::minutes(2)).holds());
  });
}

TEST(AgileTimeRestore, WrongCountsAndRowsThatWereChangedAreNotOfferedAsRestored) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path dump = SmallAgileTime() / "agiletime.dump";
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    json profile = BuiltinProfile("agiletime");
    profile["modules"][0]["checks"].push_back({{"name", "as-on-paper"}, {"query", {"SELECT count(*) FROM planning.staff"}}, {"equals", "41"}});
    json params = From(dump);
    params["profile_file"] = ProfileFile(profile);
    const Answer wrong = bench.Run(VERB_APPLY, "restore", params);
    EXPECT_EQ(wrong.code(), "check_failed");
    EXPECT_NE(wrong.result.message.find("as-on-paper"), std::string::npos) << wrong.result.message;
    EXPECT_EQ(host.Bases(), "agiletime_restoring");

    ASSERT_TRUE(bench.Run(VERB_APPLY, "restore", From(dump)).changed());
    host.Ask("agiletime", "UPDATE planning.planning SET hours = hours + 1 WHERE planning_id = 7");
    const Answer changed = bench.Run(VERB_VERIFY, "restore", From(dump));
    EXPECT_FALSE(changed.holds());
    EXPECT_NE(changed.value.value("summary", "").find("planning.planning has as many rows as the dump, but others"), std::string::npos);
    host.Ask("agiletime", "UPDATE planning.planning SET hours = hours - 1 WHERE planning_id = 7");
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "restore", From(dump)).holds());
    host.Ask("agiletime", "DELETE FROM planning.planning WHERE planning_id = 7");
    EXPECT_FALSE(bench.Run(VERB_VERIFY, "restore", From(dump)).holds());
    host.Ask("agiletime", "ALTER TABLE planning.planning DISABLE TRIGGER ALL; INSERT INTO planning.ward VALUES (999, 'X', 'care')");
    EXPECT_FALSE(bench.Run(VERB_VERIFY, "restore", From(dump)).holds());
  });
}

TEST(AgileTimeRestore, ABaseThatIsThereIsNotOverwrittenAndUndoingTakesAwayWhatWasMade) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path dumps = SmallAgileTime();
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    ASSERT_TRUE(bench.Run(VERB_APPLY, "restore", From(dumps / "agiletime.dump")).changed());
    EXPECT_EQ(bench.Run(VERB_APPLY, "restore", From(dumps / "agiletime.tar")).code(), "base_exists");
    const Answer planned = bench.Run(VERB_PLAN, "restore", From(dumps / "agiletime.tar"));
    ASSERT_TRUE(planned.done()) << PrintToString(planned);
    EXPECT_EQ(planned.value.at("changes").at(0).at("from"), "restored from another point, manifest " + Short(dumps / "agiletime.dump"));
    EXPECT_EQ(planned.value.at("changes").at(0).at("to").get<std::string>().rfind("stays as it is: refused (base_exists); ", 0), 0u) << PrintToString(planned);
    EXPECT_FALSE(bench.Run(VERB_PROBE, "restore", From(dumps / "agiletime.tar")).holds());
    const Answer other = bench.Run(VERB_ROLLBACK, "restore", From(dumps / "agiletime.tar"));
    EXPECT_TRUE(other.done());
    EXPECT_EQ(host.Bases(), "agiletime") << "undoing another step's work";
    const Answer undone = bench.Run(VERB_ROLLBACK, "restore", From(dumps / "agiletime.dump"));
    EXPECT_TRUE(undone.done()) << PrintToString(undone);
    EXPECT_FALSE(fs::exists("/var/lib/reprise-agiletime/postgres"));
    EXPECT_FALSE(fs::exists("/etc/service/agiletime-postgres"));
    EXPECT_FALSE(bench.Run(VERB_PROBE, "restore", From(dumps / "agiletime.dump")).holds());
    EXPECT_TRUE(bench.Run(VERB_APPLY, "restore", From(dumps / "agiletime.tar")).changed());
  });
}

TEST(AgileTimeRestore, AnotherCopyReplacesTheBaseOnlyOnceItIsProvenAndUndoingBringsTheFormerBack) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path dumps = SmallAgileTime();
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    const json first = From(dumps / "agiletime.dump");
    json second = From(dumps / "agiletime.tar");
    second["replace"] = true;
    const auto mark = [&](const std::string& base) {
      return host.Ask("postgres", "SELECT left(shobj_description(oid, 'pg_database')::json->>'manifest_sha256', 12) FROM pg_database WHERE datname = '" + base + "'");
    };
    ASSERT_TRUE(bench.Run(VERB_APPLY, "restore", first).changed());
    ASSERT_TRUE(bench.Run(VERB_APPLY, "start").changed());
    EXPECT_EQ(bench.Run(VERB_APPLY, "restore", second).code(), "in_use") << "people work with it";
    EXPECT_EQ(host.Bases(), "agiletime");
    const Answer planned = bench.Run(VERB_PLAN, "restore", second);
    ASSERT_TRUE(planned.done()) << PrintToString(planned);
    EXPECT_EQ(planned.value.at("changes").size(), 2u);
    EXPECT_NE(planned.value.at("summary").get<std::string>().find("service agiletime runs on base agiletime"), std::string::npos) << PrintToString(planned);
    ASSERT_TRUE(bench.Run(VERB_APPLY, "stop").changed());

    // A copy that is no sound one takes nothing away.
    Spit("/srv/agiletime-cut.dump", Slurp(dumps / "agiletime.dump").substr(0, 4000));
    json cut = From("/srv/agiletime-cut.dump");
    cut["replace"] = true;
    EXPECT_EQ(bench.Run(VERB_APPLY, "restore", cut).code(), "truncated_dump");
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "restore", cut).done());
    EXPECT_TRUE(bench.Run(VERB_PROBE, "restore", first).holds());

    const Answer replaced = bench.Run(VERB_APPLY, "restore", second);
    ASSERT_TRUE(replaced.changed()) << PrintToString(replaced);
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "restore", second).holds());
    EXPECT_EQ(host.Bases(), "agiletime agiletime_before");
    EXPECT_EQ(mark("agiletime"), Short(dumps / "agiletime.tar"));
    EXPECT_EQ(mark("agiletime_before"), Short(dumps / "agiletime.dump"));
    EXPECT_FALSE(bench.Run(VERB_APPLY, "restore", second).changed());
    EXPECT_EQ(bench.Run(VERB_ROLLBACK, "restore", first).value.at("summary"), "nothing to undo: this step restored nothing on this host");

    const Answer undone = bench.Run(VERB_ROLLBACK, "restore", second);
    ASSERT_TRUE(undone.done()) << PrintToString(undone);
    EXPECT_EQ(host.Bases(), "agiletime");
    EXPECT_TRUE(bench.Run(VERB_PROBE, "restore", first).holds());
    // And the first restore is undone as if nothing had been between.
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "restore", first).done());
    EXPECT_FALSE(fs::exists("/var/lib/reprise-agiletime/postgres"));
  });
}

TEST(AgileTimeRestore, KilledWhileItReplacesThereIsAlwaysAProvenBase) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path small = SmallAgileTime() / "agiletime.dump";
  const fs::path dump = MakeDumps("agiletime", {"--staff", "1200", "--days", "120"}) / "agiletime.dump";
  ON_THROWAWAY_HOST("agiletime", {}, [&](PluginBench& bench) {
    const Host host;
    json params = From(dump);
    params["replace"] = true;
    ASSERT_TRUE(bench.Run(VERB_APPLY, "restore", From(small)).changed());
    for (const int delay_ms : {0, 300, 700, 1200}) {
      host.Ask("postgres", "DROP DATABASE IF EXISTS agiletime_restoring WITH (FORCE)");
      const auto running = bench.Start(VERB_APPLY, "restore", params, std::chrono::minutes(2));
      EXPECT_TRUE(Eventually([&] { return host.Bases() != "agiletime"; }));
      running.wait_for(std::chrono::milliseconds(delay_ms));
      bench.KillAll();
      const bool done = host.Bases() == "agiletime agiletime_before";
      EXPECT_TRUE(bench.Run(VERB_PROBE, "restore", done ? params : From(small)).holds()) << delay_ms << ": " << host.Bases();
      if (done) break;
    }
    EXPECT_TRUE(bench.Run(VERB_APPLY, "restore", params, std::chrono::minutes(2)).done());
    EXPECT_EQ(host.Bases(), "agiletime agiletime_before");
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "restore", params).done());
    EXPECT_TRUE(bench.Run(VERB_PROBE, "restore", From(small)).holds()) << host.Bases();
  });
}

TEST(AgileTimeRestore, ACopyOfAnotherApplicationIsRefusedByTheDryRun) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const fs::path dump = SmallAgileTime() / "agiletime.dump";
  const fs::path other = "/srv/maincare-2022-08-12.dump";
  ON_THROWAWAY_HOST("agiletime", (Artifacts{{"gam-maincare-2022-08-12.dump", dump}}), [&](PluginBench& bench) {
    const Host host;
    Spit(other, Slurp(dump));
    EXPECT_EQ(bench.Run(VERB_PLAN, "restore", From(other)).code(), "no_dump");
    EXPECT_EQ(bench.Run(VERB_PLAN, "restore", json{{"manifest_sha256", std::string(64, 'a')}}).code(), "wrong_copy");
    EXPECT_TRUE(bench.Run(VERB_PLAN, "restore", From(dump)).done());
    EXPECT_FALSE(fs::exists(kFolder));
  });
}

}  // namespace
}  // namespace reprise::plugins
