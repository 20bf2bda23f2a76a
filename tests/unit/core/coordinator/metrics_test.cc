#include "core/coordinator/metrics.h"

#include <algorithm>
#include <sstream>

#include "tests/unit/core/coordinator/promtool.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::coordinator {
namespace {

using engine::testing::Hospital;
using engine::testing::PlanDraft;
using ::testing::HasSubstr;

// What a hospital of so many hosts, with a run over them, is scraped as.
std::string ScrapeOf(size_t hosts, size_t declared) {
  Hospital hospital(hosts);
  operators::v1::ImportInventoryRequest inventory;
  for (size_t i = 1; i <= declared; ++i) *inventory.add_hosts() = Hospital::Declared(engine::testing::HostName(i));
  EXPECT_OK(hospital.Do("alice", inventory));
  PlanDraft draft(hospital.people);
  draft.AddStep(draft.AddStage("protect", {1, hosts - 1}), "install");
  hospital.Launch(draft);
  hospital.Run("ws-001", model::v1::OUTCOME_FAILED, "disk_full");
  Metrics metrics("1.2.3", hospital.now);
  metrics.OnEvents(hospital.engine, hospital.journal);
  metrics.OnCommit(0.001, 0.002, hospital.journal.size());
  metrics.Look(hospital.engine, {}, hospital.now);
  return metrics.Text();
}

size_t SeriesIn(const std::string& text) {
  std::istringstream lines(text);
  size_t series = 0;
  for (std::string line; std::getline(lines, line);) series += !line.empty() && line.front() != '#';
  return series;
}

double ValueOf(const std::string& text, const std::string& series) {
  const size_t at = text.find("\n" + series + " ");
  if (at == std::string::npos) return -1;
  return std::stod(text.substr(at + series.size() + 2));
}

TEST(Metrics, AreWhatPromtoolAccepts) {
  const auto verdict = testing::Promtool({"check", "metrics"}, ScrapeOf(3, 3));
  ASSERT_TRUE(verdict.ran) << "promtool is not installed (Debian: prometheus)";
  EXPECT_EQ(verdict.exit_code, 0) << verdict.said;
  EXPECT_EQ(verdict.said, "");
  EXPECT_NE(testing::Promtool({"check", "metrics"}, "# TYPE x counter\nx 1\n").exit_code, 0) << "the check itself works";
}

TEST(Metrics, HaveAsManySeriesForTenThousandHostsAsForTen) {
  const size_t few = SeriesIn(ScrapeOf(10, 10));
  EXPECT_EQ(SeriesIn(ScrapeOf(100, 10'000)), few);
  EXPECT_LT(few, 500);
}

TEST(Metrics, CountWhatHappened) {
  const std::string text = ScrapeOf(10, 12);
  EXPECT_EQ(ValueOf(text, "reprise_hosts_in_inventory"), 12);
  EXPECT_EQ(ValueOf(text, "reprise_agents_connected"), 10);
  EXPECT_EQ(ValueOf(text, R"(reprise_hosts_by_zone{zone="dirty"})"), 12);
  EXPECT_EQ(ValueOf(text, R"(reprise_tasks_finished_total{action="install",outcome="failed",plugin="mock"})"), 1);
  EXPECT_EQ(ValueOf(text, R"(reprise_tasks_finished_total{action="install",outcome="changed",plugin="mock"})"), 0);
  EXPECT_EQ(ValueOf(text, R"(reprise_run_targets{state="failed"})"), 1);
  EXPECT_EQ(ValueOf(text, R"(reprise_wave_targets{state="failed",wave="0"})"), 1);
  EXPECT_EQ(ValueOf(text, "reprise_dispatch_latency_seconds_count"), 1);
  EXPECT_EQ(ValueOf(text, R"(reprise_build_info{version="1.2.3"})"), 1);
  EXPECT_EQ(ValueOf(text, "reprise_edr_coverage_inventory"), 12);
  EXPECT_EQ(ValueOf(text, R"(reprise_edr_hosts{protection="holds"})"), 0) << "nothing is covered without evidence";
}

TEST(Metrics, CountSessionsThatTwoAgentsContest) {
  Hospital hospital(1);
  for (uint64_t i = 0; i < 5; ++i) {
    hospital.Decide(engine::SessionOpened{"ws-001", 1000 + i, {}, i % 2 == 0 ? "10.0.0.9" : "10.0.0.1"});
  }
  Metrics metrics("1", hospital.now);
  metrics.OnEvents(hospital.engine, hospital.journal);
  Metrics::Outside outside;
  outside.identities_refused = 7;
  outside.calls_throttled = 8;
  metrics.Look(hospital.engine, outside, hospital.now);
  EXPECT_EQ(ValueOf(metrics.Text(), "reprise_sessions_contested_total"), 3) << "the first two may be a move";
  EXPECT_EQ(ValueOf(metrics.Text(), "reprise_identities_refused_total"), 7);
  EXPECT_EQ(ValueOf(metrics.Text(), "reprise_agent_calls_throttled_total"), 8);
}

TEST(Metrics, BoundTheNumberOfActionsThatHaveSeriesOfTheirOwn) {
  Hospital hospital(1);
  PlanDraft draft(hospital.people);
  auto& stage = draft.AddStage("protect", {1});
  for (int i = 0; i < 60; ++i) draft.AddStep(stage, "action-" + std::to_string(i));
  hospital.Launch(draft);
  hospital.RunAll();
  Metrics metrics("1", hospital.now);
  metrics.OnEvents(hospital.engine, hospital.journal);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("action-47"));
  EXPECT_THAT(text, Not(HasSubstr("action-48")));
  EXPECT_EQ(ValueOf(text, R"(reprise_tasks_finished_total{action="other",outcome="changed",plugin="other"})"), 12);
}

}  // namespace
}  // namespace reprise::coordinator
