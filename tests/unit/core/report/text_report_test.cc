#include "core/report/text_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/crypto/utf8.h"
#include "core/model/names.h"

namespace reprise::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const ReportOptions kFrench{.language = Language::kFrench, .now = 1'790'000'000'000};
const ReportOptions kEnglish{.language = Language::kEnglish, .now = 1'790'000'000'000};

operators::v1::CoverageView Coverage(uint32_t holds, uint32_t inventory) {
  operators::v1::CoverageView view;
  view.set_claim("edr.protected");
  view.set_selector("class == workstation");
  view.set_inventory(inventory);
  view.set_holds(holds);
  view.set_unknown(inventory - holds);
  return view;
}

TEST(Messages, HaveBothLanguagesAndNoKeyTwice) {
  std::set<std::string_view> keys;
  for (const Message& message : AllMessages()) {
    EXPECT_TRUE(keys.insert(message.key).second) << message.key;
    EXPECT_FALSE(message.french.empty()) << message.key;
    EXPECT_FALSE(message.english.empty()) << message.key;
    for (const char* place : {"$0", "$1", "$2", "$3", "$4", "$5", "$6"}) {
      EXPECT_EQ(message.french.find(place) == std::string_view::npos,
                message.english.find(place) == std::string_view::npos)
          << message.key << " says " << place << " in one language only";
    }
  }
}

template <typename Enum>
void ExpectWords(const std::string& machine) {
  for (const std::string& word : model::NamesOf<Enum>()) {
    EXPECT_TRUE(HasMessage(machine + "." + word)) << machine << "." << word << " has no text";
  }
}

TEST(Messages, KnowEveryWordOfTheVocabularyThatReportsUse) {
  ExpectWords<model::v1::RunState>("run");
  ExpectWords<model::v1::StageState>("stage");
  ExpectWords<model::v1::WaveState>("wave");
  ExpectWords<model::v1::GateState>("gate");
  ExpectWords<model::v1::TargetState>("target");
}

TEST(Percent, IsNeverAHundredUnlessItIsAll) {
  EXPECT_EQ(Percent(3199, 3200, Language::kEnglish), "99.9");
  EXPECT_EQ(Percent(3200, 3200, Language::kEnglish), "100.0");
  EXPECT_EQ(Percent(1, 3, Language::kFrench), "33,3");
  EXPECT_EQ(Percent(0, 0, Language::kFrench), "-");
}

TEST(CoverageReport, NamesEveryHostThatIsNotCoveredWithItsReason) {
  auto view = Coverage(1, 3);
  for (const char* host : {"ws-002", "ws-003"}) {
    auto& gap = *view.add_gaps();
    gap.set_host(host);
    gap.set_code("unreachable");
    gap.set_reason("silent since noon");
  }
  const std::string report = CoverageReport(view, kFrench);
  EXPECT_THAT(report, HasSubstr("1 sur 3 (33,3 %)"));
  EXPECT_THAT(report, HasSubstr("injoignable (2)"));
  EXPECT_THAT(report, HasSubstr("ws-002 — silent since noon"));
  EXPECT_THAT(report, HasSubstr("ws-003 — silent since noon"));
  EXPECT_THAT(report, Not(HasSubstr("Tous les postes sont couverts")));
  EXPECT_THAT(CoverageReport(view, kEnglish), HasSubstr("1 of 3 (33.3 %)"));
}

TEST(CoverageReport, ProvesNothingOfNothing) {
  EXPECT_THAT(CoverageReport(Coverage(0, 0), kEnglish), HasSubstr("nothing is proven"));
  EXPECT_THAT(CoverageReport(Coverage(0, 0), kEnglish), Not(HasSubstr("Every host is covered")));
}

TEST(CoverageReport, SaysThatAllAreCoveredOnlyWhenTheyAre) {
  EXPECT_THAT(CoverageReport(Coverage(3, 3), kEnglish), HasSubstr("Every host is covered, with evidence."));
}

TEST(RunReport, NamesWhoDidNotComeThroughWithWhatToTry) {
  operators::v1::RunView run;
  run.set_id(7);
  run.set_workflow("edr-campaign");
  run.set_state(model::v1::RUN_STATE_PARTIAL);
  auto& failed = *run.add_targets();
  failed.set_host("ws-004");
  failed.set_stage("protect");
  failed.set_step("install");
  failed.set_state(model::v1::TARGET_STATE_FAILED);
  failed.set_reason("dpkg is broken");
  failed.set_hint("dpkg --configure -a");
  auto& good = *run.add_targets();
  good.set_host("ws-001");
  good.set_state(model::v1::TARGET_STATE_SUCCEEDED);
  auto& left_out = *run.add_exclusions();
  left_out.set_host("irm-01");
  left_out.set_reason("protected class");
  const std::string report = RunReport(run, kFrench);
  EXPECT_THAT(report, HasSubstr("exécution 7"));
  EXPECT_THAT(report, HasSubstr("terminée en partie"));
  EXPECT_THAT(report, HasSubstr("ws-004 [protect/install] échec — dpkg is broken"));
  EXPECT_THAT(report, HasSubstr("à essayer : dpkg --configure -a"));
  EXPECT_THAT(report, HasSubstr("irm-01 — protected class"));
  EXPECT_THAT(report, Not(HasSubstr("ws-001")));
}

TEST(RunReport, SaysWhyAHostWaitsUnlessItIsForItsTurn) {
  operators::v1::RunView run;
  run.set_state(model::v1::RUN_STATE_RUNNING);
  for (const char* host : {"ws-001", "ws-002"}) {
    auto& target = *run.add_targets();
    target.set_host(host);
    target.set_state(model::v1::TARGET_STATE_WAITING);
  }
  run.mutable_targets(1)->set_code("hold");
  run.mutable_targets(1)->set_reason("evidence hold: police");
  const std::string report = RunReport(run, kEnglish);
  EXPECT_THAT(report, HasSubstr("evidence hold: police"));
  EXPECT_THAT(report, Not(HasSubstr("ws-001")));
}

TEST(RunReport, MarksARehearsal) {
  operators::v1::RunView run;
  run.set_exercise(true);
  EXPECT_THAT(RunReport(run, kFrench), HasSubstr("*** EXERCICE"));
}

TEST(RunReport, KeepsLinesWithinAPage) {
  operators::v1::RunView run;
  auto& target = *run.add_targets();
  target.set_host("ws-004");
  target.set_state(model::v1::TARGET_STATE_FAILED);
  std::string reason;
  for (int i = 0; i < 60; ++i) reason += "échec ";
  target.set_reason(reason);
  for (const auto line : absl::StrSplit(RunReport(run, kFrench), '\n')) {
    const auto columns = std::count_if(line.begin(), line.end(),
                                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    EXPECT_LE(columns, 100) << line;
  }
}

// ---- what hosts say is not believed to be a text ----

// What would begin a line, move the cursor, turn the direction of writing or be seen by nobody; and what is printed of it.
struct Mark {
  const char* said;
  const char* printed;
};
constexpr Mark kMarks[] = {{"\n", " "},      {"\r\n", "  "},   {"\x1b[2J", " [2J"}, {"\u202e", " "},
                           {"\u200b", " "},  {"\u2028", " "},  {"\x7f", " "},       {"\xc2\x9b", " "},
                           {"\xff", "?"}};

// `report` makes one of what a host said. No line of it is the host's, whatever it says.
void ExpectNoForgery(const std::function<std::string(const std::string& said)>& report) {
  for (const Mark& mark : kMarks) {
    const std::string printed = report(absl::StrCat("bad", mark.said, "srv-9 is well"));
    EXPECT_EQ(printed, report(absl::StrCat("bad", mark.printed, "srv-9 is well")));
    for (const auto line : absl::StrSplit(printed, '\n')) {
      EXPECT_EQ(crypto::FindUnplain({line.data(), line.size()}), std::string_view::npos) << line;
    }
  }
}

TEST(RunReport, LetsNoTextOfAHostForgeALine) {
  ExpectNoForgery([](const std::string& said) {
    operators::v1::RunView run;
    for (const bool reasoned : {true, false}) {
      auto& target = *run.add_targets();
      target.set_host("ws-004");
      target.set_state(model::v1::TARGET_STATE_FAILED);
      reasoned ? target.set_reason(said) : target.set_code(said);
      target.set_hint(said);
    }
    run.set_state(model::v1::RUN_STATE_PAUSED);
    run.set_pause_code("operator");
    run.set_pause_reason(said);
    auto& left_out = *run.add_exclusions();
    left_out.set_host("irm-01");
    left_out.set_reason(said);
    return RunReport(run, kEnglish);
  });
}

TEST(CoverageReport, LetsNoTextOfAHostForgeALine) {
  ExpectNoForgery([](const std::string& said) {
    auto view = Coverage(1, 3);
    for (auto* gap : {view.add_gaps(), view.add_exemptions()}) {
      gap->set_host("ws-002");
      gap->set_code(said);
      gap->set_reason(said);
    }
    return CoverageReport(view, kFrench);
  });
}

TEST(BoardReport, LetsNoTextOfAHostForgeALine) {
  ExpectNoForgery([](const std::string& said) {
    operators::v1::BoardView board;
    auto& rung = *board.add_applications()->add_rungs();
    rung.set_host("srv-lis");
    rung.set_detail(said);
    return BoardReport(board, kFrench);
  });
}

TEST(LanguageFromName, KnowsTwo) {
  EXPECT_EQ(LanguageFromName("fr"), Language::kFrench);
  EXPECT_EQ(LanguageFromName("en"), Language::kEnglish);
  EXPECT_EQ(LanguageFromName("de"), std::nullopt);
}

}  // namespace
}  // namespace reprise::report
