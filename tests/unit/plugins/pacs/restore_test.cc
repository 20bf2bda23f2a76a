// pacs.restore: a copy of exactly what was judged, and nothing of it before it is whole.
#include "tests/unit/plugins/pacs/site.h"

namespace reprise::pacs {
namespace {

TEST(PacsRestore, RefusesAnotherCopyThanTheOneThatWasJudged) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit&) {
    Site site(bench);
    site.storage.AddImages(1, 2);
    const json params = site.RestoreParams();
    site.storage.Add(Dicom({.patient = 5}));
    const Answer refused = site.Run(VERB_APPLY, "restore", params);
    EXPECT_EQ(refused.code(), "wrong_copy") << PrintToString(refused);
    EXPECT_FALSE(fs::exists(kServer / "restored"));
    fs::create_symlink("/etc/passwd", kKept / "link");
    EXPECT_EQ(site.Run(VERB_APPLY, "restore", site.RestoreParams()).code(), "wrong_copy") << "links are no part of a point";
    EXPECT_EQ(site.Run(VERB_APPLY, "restore", {{"source", "/srv/none"}, {"manifest_sha256", params["manifest_sha256"]}}).code(), "system");
    EXPECT_EQ(site.Run(VERB_PROBE, "restore", {{"manifest_sha256", "abc"}}).code(), "bad_params");
    EXPECT_EQ(site.Run(VERB_PROBE, "restore", {{"source", "/srv"}}).code(), "bad_params") << "without a hash there is nothing to hold it to";
  });
}

TEST(PacsRestore, GoesOnAfterBeingKilledAndIsUndone) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit&) {
    Site site(bench);
    for (int i = 1; i <= 150; ++i) site.storage.Add(Dicom({.image = i, .side = 400}));
    const json params = site.RestoreParams();
    for (const int after_ms : {60, 120, 200, 300}) {
      auto running = bench.Start(VERB_APPLY, "restore", params, kLong);
      running.wait_for(std::chrono::milliseconds(after_ms));
      bench.KillAll();
      const Answer probed = site.Run(VERB_PROBE, "restore", params);
      ASSERT_TRUE(probed.done()) << PrintToString(probed);
      // Never in between: it is whole, or it is not there.
      EXPECT_EQ(probed.holds(), fs::exists(kServer / "restored"));
    }
    // What was left half-way does not get in.
    fs::create_directories(kServer / "restoring");
    const Answer applied = site.Run(VERB_APPLY, "restore", params);
    ASSERT_TRUE(applied.done()) << PrintToString(applied);
    EXPECT_EQ(ManifestHash(kServer / "restored"), params.at("manifest_sha256"));
    EXPECT_TRUE(site.Run(VERB_VERIFY, "restore", params).holds());
    EXPECT_FALSE(site.Run(VERB_APPLY, "restore", params).changed());
    site.storage.Add(Dicom({.patient = 2}));
    EXPECT_EQ(site.Run(VERB_APPLY, "restore", site.RestoreParams()).code(), "occupied");
    const Answer planned = site.Run(VERB_PLAN, "restore", site.RestoreParams());
    ASSERT_TRUE(planned.done()) << PrintToString(planned);
    EXPECT_EQ(planned.value.at("changes").at(0).at("to").get<std::string>().rfind("stays as it is: refused (occupied); ", 0), 0u);
    json beside = site.RestoreParams();
    beside["name"] = "second";
    EXPECT_TRUE(site.Run(VERB_APPLY, "restore", beside).changed()) << "under another name there is a place for it";
    EXPECT_TRUE(site.Run(VERB_PROBE, "restore", params).holds());
    ASSERT_TRUE(site.Run(VERB_ROLLBACK, "restore", params).done());
    EXPECT_FALSE(fs::exists(kServer / "restored"));
    EXPECT_FALSE(site.Run(VERB_PROBE, "restore", params).holds());
  });
}

TEST(PacsRestore, ThrowsAwayACopyThatHasMoreThanThePoint) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit&) {
    Site site(bench);
    site.storage.AddImages(1, 1);
    fs::create_directories(kServer / "restoring");
    Spit(kServer / "restoring" / "of-another-point", "left by somebody");
    EXPECT_EQ(site.Run(VERB_APPLY, "restore", site.RestoreParams()).code(), "copy_differs");
    EXPECT_FALSE(fs::exists(kServer / "restored"));
    EXPECT_TRUE(site.RunToTheEnd("restore", site.RestoreParams()).holds());
  });
}

TEST(PacsActions, NameWhatMustComeFirst) {
  ON_PACS_HOST([](PluginBench& bench, OwnRunit&) {
    Site site(bench);
    EXPECT_EQ(site.Run(VERB_APPLY, "rebuild_index").code(), "not_set_up");
    EXPECT_EQ(ClaimOf(site.Run(VERB_PROBE, "rebuild_index"), "pacs.data_ok"), "unknown");
    EXPECT_EQ(ClaimOf(site.Run(VERB_PROBE, "health"), "pacs.in_test"), "fails");
    EXPECT_TRUE(site.Run(VERB_PROBE, "stop").holds()) << "what never ran is stopped";
    json as_root = site.StartParams();
    as_root["user"] = "root";
    EXPECT_EQ(site.Run(VERB_APPLY, "start", as_root).code(), "bad_params");
    as_root["user"] = "nobody-of-that-name";
    EXPECT_EQ(site.Run(VERB_APPLY, "start", as_root).code(), "no_user");
    EXPECT_EQ(site.Run(VERB_PROBE, "start", {{"modalities", {"REPRISE@127.0.0.1:104"}}}).code(), "bad_params");
  });
}

}  // namespace
}  // namespace reprise::pacs
