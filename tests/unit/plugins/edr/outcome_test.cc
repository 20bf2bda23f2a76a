// What a sensor's words mean, the count of a scan, the age of a base.
#include "plugins/edr/outcome.h"

#include <gmock/gmock.h>

#include "plugins/edr/signature_base.h"
#include "plugins/edr/tally.h"

namespace reprise::edr {
namespace {

using sdk::ClaimState;
using ::testing::HasSubstr;

SensorRule Rule() {
  SensorRule rule;
  rule.not_scanned_names = {"Heuristics.Limits.Exceeded.*", "Heuristics.Encrypted.*"};
  rule.clean_exits = {0};
  rule.infected_exits = {1};
  rule.found_after = ": ";
  rule.found_before = " FOUND";
  return rule;
}

TEST(Outcome, OfClamdIsCleanInExactlyOneWord) {
  EXPECT_EQ(Judged(sdk::ReadClamdLine(std::string_view("stream: OK\0", 11)), Rule()).judgement, Judgement::kClean);
  EXPECT_EQ(Judged(sdk::ReadClamdLine("fd[9]: OK"), Rule()).judgement, Judgement::kClean);
  for (const char* said : {"", "OK", "stream: OK.", "stream: ok", "stream:OK", "x: Access denied. ERROR", "UNKNOWN COMMAND",
                           "INSTREAM size limit exceeded. ERROR", "stream: OK OK", "fd[9]: no signatures ERROR"}) {
    EXPECT_EQ(Judged(sdk::ReadClamdLine(said), Rule()).judgement, Judgement::kNotScanned) << said;
  }
}

TEST(Outcome, OfClamdNamesWhatWasFound) {
  const Outcome found = Judged(sdk::ReadClamdLine("fd[9]: Reprise.Test.EICAR.UNOFFICIAL FOUND"), Rule());
  EXPECT_EQ(found.judgement, Judgement::kInfected);
  EXPECT_EQ(found.what, "Reprise.Test.EICAR.UNOFFICIAL");
}

TEST(Outcome, OfALimitIsNotScannedAlthoughItSaysFound) {
  const Outcome outcome = Judged(sdk::ReadClamdLine("fd[9]: Heuristics.Limits.Exceeded.MaxScanTime FOUND"), Rule());
  EXPECT_EQ(outcome.judgement, Judgement::kNotScanned);
  EXPECT_EQ(outcome.what, "Heuristics.Limits.Exceeded.MaxScanTime");
}

TEST(Outcome, OfAProgramIsItsExitCodeAndNeverCleanOtherwise) {
  const auto exit = [](int code, const std::string& out) {
    sdk::RunResult result;
    result.exit_code = code;
    result.out = out;
    return ReadCommandResult(result, Rule());
  };
  EXPECT_EQ(exit(0, "/a: OK\n").judgement, Judgement::kClean);
  EXPECT_EQ(exit(1, "/a: Some.Thing FOUND\n").what, "Some.Thing");
  EXPECT_EQ(exit(1, "").judgement, Judgement::kInfected);
  EXPECT_EQ(exit(1, "/a: Heuristics.Encrypted.Zip FOUND\n").judgement, Judgement::kNotScanned);
  EXPECT_EQ(exit(2, "/a: OK\n").judgement, Judgement::kNotScanned) << "exit 2 is not scanned, whatever it prints";
  EXPECT_EQ(exit(0, "/a: Some.Thing FOUND\n").judgement, Judgement::kNotScanned) << "it contradicts itself";
  sdk::RunResult killed;
  killed.signal = 9;
  EXPECT_EQ(ReadCommandResult(killed, Rule()).judgement, Judgement::kNotScanned);
}

TEST(Tally, HoldsOnlyIfAllWasScanned) {
  Tally tally(10);
  EXPECT_EQ(tally.State(), ClaimState::kUnknown) << "nothing was scanned";
  tally.Add("/a", {Judgement::kClean, ""});
  EXPECT_EQ(tally.State(), ClaimState::kHolds);
  tally.Add("/b", {Judgement::kNotScanned, "Permission denied"});
  EXPECT_EQ(tally.State(), ClaimState::kUnknown);
  tally.Add("/c\nd", {Judgement::kInfected, "X"});
  EXPECT_EQ(tally.State(), ClaimState::kFails);
  EXPECT_EQ(tally.Summary(), "1 clean, 1 infected, 1 not scanned; found: 1 × X; not scanned: 1 × Permission denied");
  EXPECT_EQ(tally.Evidence().at(1).text, "/c?d: X");
}

TEST(Tally, VouchesForNothingOnceDistrusted) {
  Tally tally(10);
  tally.Add("/a", {Judgement::kClean, ""});
  tally.Distrust("after the scan, EICAR is clean");
  EXPECT_EQ(tally.State(), ClaimState::kUnknown);
  EXPECT_THAT(tally.Summary(), HasSubstr("clean is worth nothing here"));
}

TEST(Tally, StaysSmallWhateverTheNames) {
  Tally tally(3);
  for (int i = 0; i < 10'000; ++i) tally.Add("/f", {Judgement::kNotScanned, "reason " + std::to_string(i)});
  EXPECT_EQ(tally.not_scanned(), 10'000);
  EXPECT_LE(tally.Observed().at("reasons").size(), 101u);
  EXPECT_EQ(tally.Evidence().size(), 4u);
  EXPECT_LT(tally.Summary().size(), 1000u);
}

TEST(SignatureBase, IsAsOldAsItSaysElseAsItsFile) {
  const auto modified = std::chrono::system_clock::from_time_t(1'700'000'000);
  const std::chrono::sys_days day = std::chrono::year(2026) / 11 / 25;
  EXPECT_EQ(ReadBaseFile("# x\n# date: 2026-11-25\na:0:0:00\n", 1, modified).date, day);
  EXPECT_EQ(ReadBaseFile("a:0:0:00\n", 1, modified).date, modified);
  EXPECT_EQ(ReadBaseFile("# date: 2026-13-45\n", 0, modified).date, modified);
  const BaseFile vendors =
      ReadBaseFile("ClamAV-VDB:07 Nov 2026 09-00 +0000:27000:2070000:90:md5:sig:builder:1794042000   \n", 1, modified);
  EXPECT_EQ(vendors.signatures, 2'070'000);
  EXPECT_EQ(vendors.date, std::chrono::system_clock::from_time_t(1'794'042'000));
  EXPECT_EQ(ReadBaseFile("ClamAV-VDB:", 1, modified).date, modified);
}

}  // namespace
}  // namespace reprise::edr
