// The chain of custody: its log by itself, and the action on a throw-away host.
#include <gmock/gmock.h>

#include "plugins/backup/actions/custody_log.h"
#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/backup/actions/reader_host.h"

namespace reprise::backup {
namespace {

using ::testing::HasSubstr;
using namespace plugins;  // NOLINT: the verbs' names.

class Log : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = (fs::temp_directory_path() / "custody-XXXXXX").string();
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    folder_ = made;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string Code() const {
    try {
      CustodyLog(folder_).Records();
    } catch (const sdk::Error& error) {
      return error.code();
    }
    return "";
  }
  fs::path folder_;
};

TEST_F(Log, EachRecordHasTheHashOfTheLineBeforeIt) {
  const CustodyLog log(folder_);
  EXPECT_TRUE(log.Records().empty());
  const std::string first = log.Append({{"point", "a"}});
  log.Append({{"point", "b"}});
  const auto records = log.Records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].at("previous"), CustodyLog::Begin());
  EXPECT_EQ(records[1].at("previous"), first);
  EXPECT_EQ(records[1].at("sequence"), 2);
}

TEST_F(Log, AChangedDroppedOrInsertedLineIsSeen) {
  const CustodyLog log(folder_);
  for (const char* point : {"a", "b", "c"}) log.Append({{"point", point}});
  const std::string whole = Slurp(log.path());
  std::string changed = whole;
  changed.replace(changed.find("\"a\""), 3, "\"x\"");
  Spit(log.path(), changed);
  EXPECT_EQ(Code(), "custody_broken");
  const size_t first = whole.find('\n') + 1;
  Spit(log.path(), whole.substr(first));
  EXPECT_EQ(Code(), "custody_broken");
  Spit(log.path(), whole.substr(0, first) + whole);
  EXPECT_EQ(Code(), "custody_broken");
  Spit(log.path(), whole);
  EXPECT_EQ(Code(), "");
}

TEST_F(Log, AHalfLineOfAKilledWriterIsNoRecordAndGoes) {
  const CustodyLog log(folder_);
  log.Append({{"point", "a"}});
  std::ofstream(log.path(), std::ios::app) << "{\"point\": \"b\", \"prev";
  EXPECT_EQ(log.Records().size(), 1u);
  log.Append({{"point", "c"}});
  const auto records = log.Records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].at("point"), "c");
}

TEST(CustodyAction, RecordsOnceAndSeesACopyThatChanged) {
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    PutTables("/srv/backup");
    const json params = {{"source", "/srv/backup"}, {"set", "agiletime"}, {"point", "2022-08-19"}, {"operator", "A. Martin"},
                         {"decision", "crisis cell, decision 12"}, {"place", "safe 2"}};
    EXPECT_FALSE(bench.Run(VERB_PROBE, "custody", params).holds());
    Answer answer = bench.Run(VERB_APPLY, "custody", params);
    ASSERT_TRUE(answer.changed()) << ::testing::PrintToString(answer);
    EXPECT_FALSE(bench.Run(VERB_APPLY, "custody", params).changed());
    answer = bench.Run(VERB_VERIFY, "custody", params);
    EXPECT_TRUE(answer.holds()) << ::testing::PrintToString(answer);
    EXPECT_THAT(answer.value.at("evidence").dump(), HasSubstr("2 of 2 files read again: they agree"));
    const auto records = CustodyLog("/var/lib/reprise-custody").Records();
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].at("host"), "ws-001");
    EXPECT_EQ(sdk::Sha256OfFile("/var/lib/reprise-custody/" + records[0].at("manifest").get<std::string>()),
              records[0].at("manifest_sha256"));
    // Of the same size: only who reads it sees it.
    Spit("/srv/backup/b.txt", "Planning de la semainE\n");
    EXPECT_TRUE(bench.Run(VERB_PROBE, "custody", params).holds());
    answer = bench.Run(VERB_VERIFY, "custody", params);
    EXPECT_FALSE(answer.holds());
    EXPECT_EQ(StateOf(answer, "backup.custody"), "fails");
    EXPECT_THAT(answer.value.at("summary").get<std::string>(), HasSubstr("b.txt"));
    // Another decision is another record.
    json again = params;
    again["decision"] = "crisis cell, decision 14";
    EXPECT_TRUE(bench.Run(VERB_APPLY, "custody", again).changed());
    EXPECT_EQ(CustodyLog("/var/lib/reprise-custody").Records().size(), 2u);
    // So is a copy to which something was added: what a record does not know is not in custody.
    fs::create_directory("/srv/backup/later");
    Spit("/srv/backup/later/c.txt", "ajouté\n");
    answer = bench.Run(VERB_PROBE, "custody", again);
    EXPECT_FALSE(answer.holds());
    EXPECT_THAT(answer.value.at("summary").get<std::string>(), HasSubstr("later/c.txt is there, and the record knows no such file"));
    EXPECT_TRUE(bench.Run(VERB_APPLY, "custody", again).changed());
    EXPECT_TRUE(bench.Run(VERB_PROBE, "custody", again).holds());
    EXPECT_EQ(bench.Run(VERB_APPLY, "custody", [&] { json bad = params; bad["folder"] = "/etc"; return bad; }()).code(),
              "bad_params");
  });
}

}  // namespace
}  // namespace reprise::backup
