// edr.scan and edr.heartbeat against a real clamd: what is found, and that not scanned is never clean.
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/plugins/edr/lone_clamd.h"

namespace reprise::edr {
namespace {

using plugins::Answer;
using ::testing::HasSubstr;
using ::testing::PrintToString;

class Scan : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!LoneClamd::Installed()) GTEST_SKIP() << "needs /usr/sbin/clamd (package clamav-daemon)";
  }
  Answer ScanFiles(json params = json::object()) {
    if (!params.contains("paths")) params["paths"] = {clamd_.Files()};
    return ReadBench(clamd_).Probe("scan", params);
  }
  LoneClamd clamd_;
};

TEST_F(Scan, SaysCleanOfWhatWasWhollyScanned) {
  ASSERT_TRUE(clamd_.Start());
  clamd_.File("letter.txt", "Dear colleagues");
  fs::create_directories(clamd_.Files() / "deeper/still");
  Spit(clamd_.Files() / "deeper/still/empty", "");
  const Answer answer = ScanFiles();
  EXPECT_TRUE(answer.holds()) << PrintToString(answer);
  EXPECT_EQ(StateOf(answer), "holds");
  EXPECT_EQ(answer.value.at("observed").at("clean"), 2);
}

TEST_F(Scan, NamesWhatItFinds) {
  ASSERT_TRUE(clamd_.Start());
  clamd_.File("letter.txt", "Dear colleagues");
  clamd_.File("eicar.com", Eicar());
  clamd_.File("marked", "before " + Marker() + " after");
  const Answer answer = ScanFiles();
  EXPECT_EQ(StateOf(answer), "fails") << PrintToString(answer);
  EXPECT_FALSE(answer.holds());
  EXPECT_EQ(answer.value.at("observed").at("infected"), 2);
  EXPECT_THAT(answer.value.at("evidence").dump(), HasSubstr("eicar.com: Reprise.Test.EICAR"));
  EXPECT_THAT(answer.value.at("evidence").dump(), HasSubstr("marked: Reprise.Test.Marker"));
}

TEST_F(Scan, NeverCallsAFileCleanThatALimitOfTheEngineKeptItFrom) {
  ASSERT_TRUE(clamd_.Start());
  clamd_.File("big", std::string(2 << 20, 'x'));  // MaxFileSize is 1M.
  const Answer answer = ScanFiles();
  EXPECT_EQ(StateOf(answer), "unknown") << PrintToString(answer);
  EXPECT_EQ(answer.value.at("observed").at("not_scanned"), 1);
  EXPECT_THAT(answer.value.at("summary").get<std::string>(), HasSubstr("MaxFileSize"));
}

TEST_F(Scan, TrustsNoSensorThatCallsOkWhatItDidNotLookAt) {
  ASSERT_TRUE(clamd_.Start("AlertExceedsMax no\n"));
  clamd_.File("big", std::string(2 << 20, 'x'));
  const Answer answer = ScanFiles();
  EXPECT_EQ(StateOf(answer), "unknown") << PrintToString(answer);
  EXPECT_THAT(answer.value.at("summary").get<std::string>(), HasSubstr("AlertExceedsMax yes"));
}

TEST_F(Scan, DoesNotEvenAskAboutFilesAboveItsOwnLimit) {
  ASSERT_TRUE(clamd_.Start());
  clamd_.File("big", std::string((1 << 20) + 1, 'x'));
  const Answer answer = ScanFiles({{"max_file_mb", 1}});
  EXPECT_EQ(StateOf(answer), "unknown") << PrintToString(answer);
  EXPECT_THAT(answer.value.at("summary").get<std::string>(), HasSubstr("larger than max_file_mb"));
}

TEST_F(Scan, NamesEncryptedArchivesAsNotScanned) {
  ASSERT_TRUE(clamd_.Start());
  // A zip with one stored entry "a" of 12 + 4 bytes, flag bit 0: encrypted.
  std::string zip("PK\3\4\24\0\1\0\0\0\0\0\0\0\1\2\3\4\20\0\0\0\4\0\0\0\1\0\0\0", 30);
  zip += "a0123456789abcdef";
  zip += std::string("PK\1\2\24\0\24\0\1\0\0\0\0\0\0\0\1\2\3\4\20\0\0\0\4\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 46) + "a";
  zip += std::string("PK\5\6\0\0\0\0\1\0\1\0\57\0\0\0\57\0\0\0\0\0", 22);
  clamd_.File("letter.zip", zip);
  const Answer answer = ScanFiles();
  EXPECT_EQ(StateOf(answer), "unknown") << PrintToString(answer);
  EXPECT_THAT(answer.value.at("summary").get<std::string>(), HasSubstr("Encrypted"));
}

TEST_F(Scan, CallsNothingCleanWithoutAnySensor) {
  clamd_.File("letter.txt", "Dear colleagues");
  const Answer answer = ScanFiles();
  EXPECT_EQ(StateOf(answer), "unknown") << PrintToString(answer);
  EXPECT_EQ(answer.value.at("observed").at("clean"), 0);
}

TEST_F(Scan, CallsNothingCleanWithAnEmptyBase) {
  fs::remove(clamd_.Base() / "reprise.ndb");
  EXPECT_FALSE(clamd_.Start()) << "clamd itself refuses to run without signatures";
  clamd_.File("letter.txt", "Dear colleagues");
  EXPECT_EQ(StateOf(ScanFiles()), "unknown");
}

TEST_F(Scan, CallsNothingCleanWithABaseThatDoesNotKnowEicar) {
  Spit(clamd_.Base() / "reprise.ndb", "Other.Thing:0:*:6e6f742d7468657265\n");
  ASSERT_TRUE(clamd_.Start());
  clamd_.File("letter.txt", "Dear colleagues");
  const Answer answer = ScanFiles();
  EXPECT_EQ(StateOf(answer), "unknown") << PrintToString(answer);
  EXPECT_THAT(answer.value.at("summary").get<std::string>(), HasSubstr("EICAR is clean"));
}

TEST_F(Scan, CallsNothingCleanWhereThereWasNothing) {
  ASSERT_TRUE(clamd_.Start());
  EXPECT_EQ(StateOf(ScanFiles()), "unknown");
  EXPECT_EQ(StateOf(ScanFiles({{"paths", {"/no/such/folder"}}})), "unknown");
}

TEST_F(Scan, CountsWhatItMayNotFollowOrOpen) {
  ASSERT_TRUE(clamd_.Start());
  const std::string letter = clamd_.File("letter.txt", "Dear colleagues");
  fs::create_symlink(letter, clamd_.Files() / "link");
  ASSERT_EQ(mkfifo((clamd_.Files() / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(ScanFiles().holds()) << "neither is a file of its own";
  const Answer asked = ScanFiles({{"paths", {letter, (clamd_.Files() / "link").string()}}});
  EXPECT_EQ(StateOf(asked), "unknown") << PrintToString(asked);
  EXPECT_THAT(asked.value.at("summary").get<std::string>(), HasSubstr("symbolic link"));
}

TEST_F(Scan, SaysWhatAFewFilesMoreThanItsLimitMeant) {
  ASSERT_TRUE(clamd_.Start());
  for (int i = 0; i < 5; ++i) clamd_.File("letter" + std::to_string(i), "Dear colleagues");
  const Answer answer = ScanFiles({{"max_files", 3}});
  EXPECT_EQ(StateOf(answer), "unknown");
  EXPECT_EQ(answer.value.at("observed").at("clean"), 3);
  EXPECT_THAT(answer.value.at("summary").get<std::string>(), HasSubstr("max_files is reached"));
}

TEST_F(Scan, LeavesOutWhatItWasToldTo) {
  ASSERT_TRUE(clamd_.Start());
  clamd_.File("letter.txt", "Dear colleagues");
  fs::create_directories(clamd_.Files() / "kept");
  Spit(clamd_.Files() / "kept/eicar.com", Eicar());
  EXPECT_TRUE(ScanFiles({{"exclude", {clamd_.Files() / "kept"}}}).holds());
  EXPECT_EQ(ScanFiles({{"paths", {"letters"}}}).code(), "bad_params");
}

TEST_F(Scan, BoundsItsEvidenceAndStillCountsAll) {
  ASSERT_TRUE(clamd_.Start());
  for (int i = 0; i < 20; ++i) clamd_.File("eicar" + std::to_string(i), Eicar());
  const Answer answer = ScanFiles({{"shown_max", 2}});
  EXPECT_EQ(answer.value.at("observed").at("infected"), 20);
  EXPECT_EQ(answer.value.at("evidence").size(), 3u);
}

TEST_F(Scan, AsksAVendorsProgramJustAsWell) {
  if (access("/usr/bin/clamdscan", X_OK) != 0) GTEST_SKIP() << "needs clamdscan";
  ASSERT_TRUE(clamd_.Start());
  json profile = clamd_.Profile();
  const std::string config = "--config-file=" + clamd_.Config().string();
  profile["sensor"] = {{"speaks", "command"},
                       {"version_command", {"clamdscan", config, "--version"}},
                       {"scan_command", {"clamdscan", config, "--fdpass", "--no-summary", "{file}"}},
                       {"clean_exits", {0}},
                       {"infected_exits", {1}},
                       {"found_after", ": "},
                       {"found_before", " FOUND"},
                       {"not_scanned_names", {"Heuristics.Limits.Exceeded.*"}},
                       {"file_mb_max", 100}};
  ReadBench bench(profile);
  EXPECT_EQ(StateOf(bench.Probe("heartbeat", {{"max_age", "36500d"}})), "holds");
  clamd_.File("letter.txt", "Dear colleagues");
  EXPECT_EQ(StateOf(bench.Probe("scan", {{"paths", {clamd_.Files()}}})), "holds");
  clamd_.File("big", std::string(2 << 20, 'x'));
  EXPECT_EQ(StateOf(bench.Probe("scan", {{"paths", {clamd_.Files()}}})), "unknown");
  clamd_.File("eicar.com", Eicar());
  EXPECT_EQ(StateOf(bench.Probe("scan", {{"paths", {clamd_.Files()}}})), "fails");
  clamd_.Stop();
  EXPECT_EQ(StateOf(bench.Probe("scan", {{"paths", {clamd_.Files()}}})), "unknown");
}

class Heartbeat : public Scan {};

TEST_F(Heartbeat, HoldsWhileEicarIsFoundAndTheBaseIsFresh) {
  ASSERT_TRUE(clamd_.Start());
  const Answer answer = ReadBench(clamd_).Probe("heartbeat", {{"max_age", "36500d"}});
  EXPECT_TRUE(answer.holds()) << PrintToString(answer);
  EXPECT_EQ(StateOf(answer), "holds");
  EXPECT_EQ(answer.value.at("observed").at("signatures"), 2);
  const std::string detail = answer.value.at("claims").at(0).at("detail");
  EXPECT_THAT(detail, HasSubstr("ClamAV 1."));
  EXPECT_THAT(detail, HasSubstr("2 signatures in reprise.ndb, of 2026-11-25"));
  EXPECT_LT(clamd_.KilobytesInMemory(), 60'000);
}

TEST_F(Heartbeat, FailsWithAnOldBase) {
  std::string base = OurBase();
  base.replace(base.find("# date: 2026"), 12, "# date: 2020");
  Spit(clamd_.Base() / "reprise.ndb", base);
  ASSERT_TRUE(clamd_.Start());
  const Answer answer = ReadBench(clamd_).Probe("heartbeat");
  EXPECT_EQ(StateOf(answer), "fails") << PrintToString(answer);
  EXPECT_THAT(answer.value.at("summary").get<std::string>(), HasSubstr("days old"));
}

TEST_F(Heartbeat, FailsWhereNobodyListensAndWhereEicarPasses) {
  ReadBench bench(clamd_);
  EXPECT_EQ(StateOf(bench.Probe("heartbeat")), "fails");
  Spit(clamd_.Base() / "reprise.ndb", "Other.Thing:0:*:6e6f742d7468657265\n");
  ASSERT_TRUE(clamd_.Start());
  EXPECT_EQ(StateOf(bench.Probe("heartbeat")), "fails");
  clamd_.Stop();
  EXPECT_EQ(StateOf(bench.Probe("heartbeat")), "fails") << "its socket is there, and nobody behind it";
}

}  // namespace
}  // namespace reprise::edr
