// The actions that judge, under the real runner, with real children.
#include <gmock/gmock.h>

#include "plugins/backup/actions/when.h"
#include "plugins/sdk/manifest.h"
#include "tests/unit/plugins/backup/actions/reader_host.h"
#include "tests/unit/plugins/backup/bytes.h"
#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::backup {
namespace {

using ::testing::HasSubstr;
using namespace plugins;  // NOLINT: the verbs' names.

json Params(const std::string& path, const json& more = json::object()) {
  json params = {{"path", path}, {"set", "agiletime"}, {"program", Program("reprise-backup-judge").string()}};
  params.update(more);
  return params;
}

sdk::Manifest ManifestAt(const std::string& path) {
  sdk::FakeCall call(json{{"verb", "probe"}});
  const sdk::Context context(call.call(), call.request());
  return sdk::ManifestOf(context, path);
}

TEST(JudgeAction, GivesOneVerdictForEachPointBoundToItsManifest) {
  Program("");
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    PutTables("/srv/backup/2022-08-19");
    PutTables("/srv/backup/2022-08-21 nuit");
    Spit("/srv/backup/2022-08-21 nuit/a.csv", testing::RandomBytes(30'000));
    const Answer answer = bench.Run(VERB_PROBE, "judge", Params("/srv/backup"));
    ASSERT_TRUE(answer.holds()) << ::testing::PrintToString(answer);
    const json& verdicts = answer.value.at("verdicts");
    ASSERT_EQ(verdicts.size(), 2u);
    EXPECT_EQ(verdicts[0].at("set"), "agiletime");
    EXPECT_EQ(verdicts[0].at("point"), "2022-08-19");
    EXPECT_EQ(verdicts[0].at("verdict"), "INTACT_SAMPLED");
    EXPECT_EQ(verdicts[0].at("coverage"), 1.0);
    EXPECT_EQ(verdicts[0].at("manifest_sha256"), ManifestAt("/srv/backup/2022-08-19").Sha256());
    EXPECT_EQ(verdicts[1].at("verdict"), "ENCRYPTED_PARTIAL");
    EXPECT_THAT(verdicts[1].at("point").get<std::string>(), ::testing::StartsWith("2022-08-21-nuit-"));
    EXPECT_THAT(verdicts[1].at("detail").get<std::string>(), HasSubstr("a.csv"));
    EXPECT_THAT(answer.value.at("evidence").dump(), HasSubstr("a.csv"));
    EXPECT_EQ(bench.Run(VERB_PROBE, "judge", Params("/srv/backup", {{"require", "sound"}})).holds(), false);
  });
}

TEST(JudgeAction, SaysWhetherItIsOlderThanTheCompromise) {
  Program("");
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    PutTables("/srv/backup");
    json params = Params("/srv/backup", {{"point", "p1"}, {"taken", "2022-08-20T22:00:00+02:00"}});
    const auto trust = [&] {
      const Answer answer = bench.Run(VERB_PROBE, "judge", params);
      EXPECT_TRUE(answer.done()) << ::testing::PrintToString(answer);
      EXPECT_EQ(answer.value.at("verdicts")[0].at("taken_unix_ms"), ParseMoment("2022-08-20T20:00:00Z"));
      return answer.value.at("observed").at("points")[0].at("trust").get<std::string>();
    };
    EXPECT_EQ(trust(), "unknown");
    params["compromise"] = "2022-08-20T20:00:01Z";
    EXPECT_EQ(trust(), "before");
    params["compromise"] = "2022-08-20T19:59:00Z";
    EXPECT_EQ(trust(), "after");
    params["compromise"] = "yesterday";
    EXPECT_EQ(bench.Run(VERB_PROBE, "judge", params).code(), "bad_params");
  });
}

TEST(JudgeAction, AnEarlierManifestSaysWhatIsMissingAndWhatIsOther) {
  Program("");
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    PutTables("/srv/backup");
    Spit("/srv/earlier.manifest", ManifestAt("/srv/backup").Text());
    const json params = Params("/srv/backup", {{"point", "p1"}, {"expected", "/srv/earlier.manifest"}});
    const auto verdict = [&] { return bench.Run(VERB_PROBE, "judge", params).value.at("verdicts")[0].at("verdict").get<std::string>(); };
    EXPECT_EQ(verdict(), "INTACT");
    Spit("/srv/backup/b.txt", "Planning d'une autre semaine\n");
    EXPECT_EQ(verdict(), "CORRUPT");
    fs::remove("/srv/backup/b.txt");
    const Answer answer = bench.Run(VERB_PROBE, "judge", params);
    EXPECT_EQ(answer.value.at("verdicts")[0].at("verdict"), "PARTIAL");
    EXPECT_THAT(answer.value.at("observed").at("points")[0].at("missing").dump(), HasSubstr("b.txt"));
  });
}

TEST(JudgeResumableAction, ReadsNothingTwiceUnlessItChanged) {
  Program("");
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    PutTables("/srv/backup");
    const json params = Params("/srv/backup", {{"point", "p1"}});
    EXPECT_FALSE(bench.Run(VERB_PROBE, "judge-resumable", params).holds());
    Answer answer = bench.Run(VERB_APPLY, "judge-resumable", params);
    ASSERT_TRUE(answer.changed()) << ::testing::PrintToString(answer);
    answer = bench.Run(VERB_VERIFY, "judge-resumable", params);
    ASSERT_TRUE(answer.holds()) << ::testing::PrintToString(answer);
    EXPECT_EQ(answer.value.at("verdicts")[0].at("manifest_sha256"), ManifestAt("/srv/backup").Sha256());
    answer = bench.Run(VERB_PROBE, "judge-resumable", params);
    EXPECT_TRUE(answer.holds());
    EXPECT_EQ(answer.value.at("observed").at("points")[0].at("resumed"), 2);
    EXPECT_FALSE(bench.Run(VERB_APPLY, "judge-resumable", params).changed());
    Spit("/srv/backup/b.txt", "Planning de la semainE\n");
    answer = bench.Run(VERB_PROBE, "judge-resumable", params);
    EXPECT_FALSE(answer.holds());
    EXPECT_EQ(answer.value.at("observed").at("files_ahead"), 1);
  });
}

TEST(JudgeAction, HostileParametersAreRefused) {
  Program("");
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    PutTables("/srv/backup");
    for (const json& bad : {json{{"set", "Agile Time"}}, json{{"set", ""}}, json{{"point", "../x"}}, json{{"point", "-x"}}}) {
      EXPECT_EQ(bench.Run(VERB_PROBE, "judge", Params("/srv/backup", bad)).code(), "bad_params") << bad;
    }
    EXPECT_EQ(bench.Run(VERB_PROBE, "judge", Params("/srv/gone")).code(), "no_points");
    EXPECT_EQ(bench.Run(VERB_PROBE, "judge", Params("/srv/backup", {{"program", "/srv/gone"}})).code(), "not_found");
  });
}

TEST(Moment, IsReadAsRfc3339HasIt) {
  EXPECT_EQ(ParseMoment("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseMoment("2022-08-20T23:30:00+02:00"), ParseMoment("2022-08-20T21:30:00Z"));
  EXPECT_EQ(ParseMoment("2022-08-20T21:30:00.250Z"), *ParseMoment("2022-08-20T21:30:00Z") + 250);
  EXPECT_EQ(MomentText(*ParseMoment("2022-08-20T23:30:00+02:00")), "2022-08-20T21:30:00Z");
  for (const char* bad : {"", "2022-08-20", "2022-08-20 21:30:00Z", "2022-13-20T21:30:00Z", "2022-02-30T21:30:00Z",
                          "2022-08-20T25:30:00Z", "2022-08-20T21:30:00", "2022-08-20T21:30:00.Z", "2022-08-20T21:30:00+2:00"}) {
    EXPECT_FALSE(ParseMoment(bad)) << bad;
  }
}

}  // namespace
}  // namespace reprise::backup
