// The imaging server whole: a real Orthanc under a real runit, its index lost, dcmtk as the other node.
#include <signal.h>

#include "tests/unit/plugins/pacs/site.h"

namespace reprise::pacs {
namespace {

TEST(PacsServer, IsBackWithEveryInstanceOfItsStorage) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit&) {
    Site site(bench);
    site.storage.AddImages(5, 10);
    site.storage.AddAs("index", "SQLite format 3, and then nothing");
    const Answer found = site.Run(VERB_PROBE, "restore", site.RestoreParams());
    EXPECT_EQ(ClaimOf(found, "pacs.data_found"), "holds") << PrintToString(found);
    EXPECT_EQ(ClaimOf(found, "pacs.restored"), "fails");
    ASSERT_NO_FATAL_FAILURE(site.SetUp());
    EXPECT_EQ(ClaimOf(site.Run(VERB_PROBE, "restore", site.RestoreParams()), "pacs.restored"), "holds");

    const Answer empty = site.Run(VERB_PROBE, "health");
    EXPECT_FALSE(empty.holds());
    EXPECT_EQ(ClaimOf(empty, "pacs.data_ok"), "fails") << PrintToString(empty);
    EXPECT_EQ(site.Run(VERB_PLAN, "rebuild_index").value.at("changes").size(), 1u);

    const Answer rebuilt = site.RunToTheEnd("rebuild_index");
    EXPECT_TRUE(rebuilt.holds()) << PrintToString(rebuilt);
    EXPECT_EQ(ClaimOf(rebuilt, "pacs.data_ok"), "holds");
    EXPECT_THAT(EvidenceOf(rebuilt), HasSubstr("findscu: 5 patients, 10 studies, 20 series, 200 instances"));
    EXPECT_THAT(EvidenceOf(rebuilt), HasSubstr("20 came back by REST and 20 by C-GET"));
    EXPECT_FALSE(site.Run(VERB_APPLY, "rebuild_index").changed());

    const Answer health = site.Run(VERB_PROBE, "health");
    EXPECT_TRUE(health.holds()) << PrintToString(health);
    EXPECT_EQ(health.value.at("observed").at("instances"), 200);
    EXPECT_EQ(ClaimOf(health, "pacs.in_test"), "holds");
    EXPECT_EQ(ClaimOf(health, "pacs.degraded_no_interface"), "holds");
    EXPECT_EQ(ClaimOf(health, "pacs.interfaced"), "fails");
    EXPECT_EQ(EvidenceOf(health).find("EXAMPLE"), std::string::npos) << "no patient's name anywhere";

    ASSERT_TRUE(site.Run(VERB_ROLLBACK, "rebuild_index").done());
    EXPECT_FALSE(site.Run(VERB_PROBE, "rebuild_index").holds());
    EXPECT_EQ(ManifestHash(kKept), site.RestoreParams().at("manifest_sha256")) << "the source is as it was";
  });
}

size_t FilesInItsStorage() {
  size_t count = 0;
  std::error_code gone;  // It works meanwhile.
  for (fs::recursive_directory_iterator at(kServer / "storage", gone), end; !gone && at != end; at.increment(gone)) {
    count += at->is_regular_file(gone) ? 1 : 0;
  }
  return count;
}

TEST(PacsServer, GoesOnWithItsIndexAfterBeingKilledInTheMiddle) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit&) {
    Site site(bench);
    site.storage.AddImages(5, 40);
    ASSERT_NO_FATAL_FAILURE(site.SetUp());
    int between = 0;
    // By what it has stored: the machine may be slow or fast.
    const auto has = [](size_t files) { return [files] { return FilesInItsStorage() >= files; }; };
    for (const size_t files : {1u, 150u, 300u}) {
      auto running = bench.Start(VERB_APPLY, "rebuild_index", json::object(), kLong);
      EXPECT_TRUE(Eventually(has(files)));
      bench.KillAll();
      const Answer probed = site.Run(VERB_PROBE, "rebuild_index");
      ASSERT_TRUE(probed.done()) << PrintToString(probed);
      const int there = probed.value.at("observed").at("there");
      between += there > 0 && there < 800 ? 1 : 0;
    }
    EXPECT_GE(between, 1) << "none was cut off in the middle";
    // The server itself too, at once.
    const pid_t server = OwnRunit::PidOf("reprise-pacs-main");
    auto running = bench.Start(VERB_APPLY, "rebuild_index", json::object(), kLong);
    EXPECT_TRUE(Eventually(has(450)));
    ASSERT_GT(server, 1);
    kill(server, SIGKILL);
    const Answer applied = running.get();
    EXPECT_TRUE(applied.done()) << PrintToString(applied);
    const Answer verified = site.Run(VERB_VERIFY, "rebuild_index");
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_THAT(EvidenceOf(verified), HasSubstr("findscu: 5 patients, 10 studies, 20 series, 800 instances"));
  });
}

TEST(PacsServer, NamesDamagedFilesAndDoesNotCallItsDataGood) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit&) {
    Site site(bench);
    site.storage.AddImages(1, 5);
    std::string half = Dicom({.patient = 7});
    half.resize(half.size() / 2);
    const std::string damaged = site.storage.Add(half);
    const std::string header = site.storage.Add(Dicom({.patient = 8, .pixels = false}));
    ASSERT_NO_FATAL_FAILURE(site.SetUp());
    const Answer rebuilt = site.RunToTheEnd("rebuild_index");
    EXPECT_TRUE(rebuilt.holds()) << "everything that can be read is in: " << PrintToString(rebuilt);
    EXPECT_EQ(ClaimOf(rebuilt, "pacs.data_ok"), "fails");
    EXPECT_THAT(EvidenceOf(rebuilt), HasSubstr(damaged));
    EXPECT_THAT(EvidenceOf(rebuilt), HasSubstr(header));
    const Answer health = site.Run(VERB_PROBE, "health");
    EXPECT_FALSE(health.holds());
    EXPECT_EQ(health.value.at("observed").at("damaged"), 2);
    EXPECT_EQ(health.value.at("observed").at("instances"), 20);
    EXPECT_EQ(ClaimOf(health, "pacs.data_ok"), "fails");
  });
}

TEST(PacsServer, ThatLosesOrAltersAnInstanceIsFoundOut) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit&) {
    Site site(bench);
    site.storage.AddImages(1, 3);
    ASSERT_NO_FATAL_FAILURE(site.SetUp());
    ASSERT_TRUE(site.RunToTheEnd("rebuild_index").holds());
    // One bit of one image, behind the server's back.
    for (const auto& file : fs::recursive_directory_iterator(kServer / "storage")) {
      if (!file.is_regular_file()) continue;
      std::string content = Slurp(file.path());
      content.back() ^= 1;
      Spit(file.path(), content);
      break;
    }
    const Answer altered = site.Run(VERB_PROBE, "health");
    EXPECT_FALSE(altered.holds()) << PrintToString(altered);
    EXPECT_THAT(EvidenceOf(altered), HasSubstr("other bytes than the one that was kept"));

    // An instance more in what was restored than in the index.
    const std::string extra = Dicom({.patient = 3});
    Spit(kServer / "restored" / "ffffffff-1d3a-4c5e-9f00-000000000001", extra);
    const Answer missing = site.Run(VERB_VERIFY, "rebuild_index", {{"sample", 0}});
    EXPECT_FALSE(missing.holds());
    EXPECT_THAT(EvidenceOf(missing), HasSubstr("not in the index: " + ImageSpec{.patient = 3}.uid()));
    EXPECT_EQ(ClaimOf(missing, "pacs.data_ok"), "fails");
    EXPECT_EQ(ClaimOf(site.Run(VERB_PROBE, "restore", site.RestoreParams()), "pacs.restored"), "fails");
  });
}

TEST(PacsServer, ReadsAStorageThatOrthancCompressed) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit&) {
    Site site(bench);
    for (int i = 1; i <= 12; ++i) {
      site.storage.Add(Compressed(Dicom({.image = i})));
      site.storage.Add(Compressed(Dicom({.image = i, .pixels = false})));
    }
    ASSERT_NO_FATAL_FAILURE(site.SetUp());
    const Answer rebuilt = site.RunToTheEnd("rebuild_index");
    EXPECT_TRUE(rebuilt.holds()) << PrintToString(rebuilt);
    EXPECT_EQ(ClaimOf(rebuilt, "pacs.data_ok"), "holds");
    EXPECT_THAT(EvidenceOf(rebuilt), HasSubstr("12 came back by REST and 12 by C-GET"));
  });
}

TEST(PacsServer, IsStoppedStartedAgainAndSurvivesItsHost) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit& runit) {
    Site site(bench);
    site.storage.AddImages(1, 2);
    ASSERT_NO_FATAL_FAILURE(site.SetUp());
    ASSERT_TRUE(site.RunToTheEnd("rebuild_index").holds());
    EXPECT_FALSE(site.Run(VERB_APPLY, "start", site.StartParams()).changed());

    const Answer stopped = site.RunToTheEnd("stop");
    EXPECT_TRUE(stopped.holds()) << PrintToString(stopped);
    EXPECT_EQ(ClaimOf(stopped, "pacs.in_test"), "fails");
    EXPECT_EQ(ClaimOf(site.Run(VERB_PROBE, "health"), "pacs.data_ok"), "unknown");
    EXPECT_FALSE(site.Run(VERB_APPLY, "stop").changed());
    runit.End();
    runit.Start();
    EXPECT_TRUE(Eventually([&] { return site.Run(VERB_PROBE, "stop").holds(); })) << "stopped is stopped after a restart too";
    EXPECT_TRUE(site.Run(VERB_ROLLBACK, "stop").done());
    EXPECT_TRUE(site.Run(VERB_PROBE, "health").holds()) << PrintToString(site.Run(VERB_PROBE, "health"));

    runit.End();
    runit.Start();
    EXPECT_TRUE(Eventually([&] { return site.Run(VERB_PROBE, "start", site.StartParams()).holds(); })) << "it comes back with its host";
    EXPECT_TRUE(site.Run(VERB_PROBE, "health").holds());

    const Answer undone = site.Run(VERB_ROLLBACK, "start", site.StartParams());
    EXPECT_TRUE(undone.done()) << PrintToString(undone);
    EXPECT_FALSE(site.Run(VERB_PROBE, "start", site.StartParams()).holds());
    EXPECT_FALSE(fs::exists("/etc/service/reprise-pacs-main"));
    EXPECT_FALSE(fs::exists(kServer / "orthanc.json"));
  });
}

TEST(PacsServer, IsInterfacedOnlyWithModalitiesThatAnswer) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit&) {
    Site site(bench);
    site.storage.AddImages(1, 2);
    ASSERT_NO_FATAL_FAILURE(site.SetUp());
    ASSERT_TRUE(site.RunToTheEnd("rebuild_index").holds());
    json open = site.StartParams();
    open["modalities"] = {"CT1@127.0.0.1:11150"};
    ASSERT_TRUE(site.RunToTheEnd("start", open).holds());
    const Answer silent = site.Run(VERB_PROBE, "health");
    EXPECT_EQ(ClaimOf(silent, "pacs.degraded_no_interface"), "fails");
    EXPECT_EQ(ClaimOf(silent, "pacs.interfaced"), "fails") << "CT1 does not answer";
    // A modality of dcmtk's.
    char* argv[] = {const_cast<char*>("storescp"), const_cast<char*>("-aet"), const_cast<char*>("CT1"),
                    const_cast<char*>("--ignore"), const_cast<char*>("11150"), nullptr};
    pid_t modality = -1;
    ASSERT_EQ(posix_spawnp(&modality, "storescp", nullptr, nullptr, argv, nullptr), 0);
    EXPECT_TRUE(Eventually([&] { return ClaimOf(site.Run(VERB_PROBE, "health"), "pacs.interfaced") == "holds"; }));
    EXPECT_EQ(ClaimOf(site.Run(VERB_PROBE, "health"), "pacs.data_ok"), "holds");
    kill(modality, SIGKILL);
    waitpid(modality, nullptr, 0);
    // Back to degraded mode: what rollback of the opening does.
    ASSERT_TRUE(site.RunToTheEnd("start", site.StartParams()).holds());
    EXPECT_EQ(ClaimOf(site.Run(VERB_PROBE, "health"), "pacs.degraded_no_interface"), "holds");
  });
}

}  // namespace
}  // namespace reprise::pacs
