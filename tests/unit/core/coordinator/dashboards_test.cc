// What people import into Prometheus and Grafana speaks of metrics that a real coordinator gives, over the real port.
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "tests/unit/core/coordinator/promtool.h"
#include "tests/unit/core/coordinator/site.h"

namespace reprise::coordinator::testing {
namespace {

using ::testing::HasSubstr;

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> NamedIn(const std::string& text) {
  std::set<std::string> names;
  static const std::regex name("reprise_[a-z_]+");
  for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it) names.insert(it->str());
  return names;
}

std::set<std::string> FamiliesOf(const std::string& scrape) {
  std::set<std::string> families;
  std::istringstream lines(scrape);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    std::istringstream words(line);
    std::string hash, type, name, kind;
    words >> hash >> type >> name >> kind;
    families.insert(name);
    if (kind == "histogram") families.insert({name + "_bucket", name + "_sum", name + "_count"});
  }
  return families;
}

class Dashboards : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(root.empty()) << "run this from inside the project's tree";
    const auto answer = web::testing::Ask(site.coordinator->web_port(), "GET", "/metrics");
    ASSERT_EQ(answer.status, 200);
    scrape = answer.body;
  }
  // Those of a family without a series yet stand in the documentation and are given once a task ran.
  void ExpectKnown(const std::string& text) const {
    std::set<std::string> families = FamiliesOf(scrape);
    // Without a series until a plugin has told a number: tests/integration/dashboards_test.py has one tell some.
    families.insert({"reprise_measure", "reprise_measure_age_seconds"});
    for (const std::string& name : NamedIn(text)) EXPECT_TRUE(families.contains(name)) << name << " is not a metric";
  }

  const std::filesystem::path root = ProjectRoot();
  Site site;
  std::string scrape;
};

TEST_F(Dashboards, AreScrapedAsPromtoolAccepts) {
  const auto verdict = Promtool({"check", "metrics"}, scrape);
  ASSERT_TRUE(verdict.ran) << "promtool is not installed (Debian: prometheus)";
  EXPECT_EQ(verdict.exit_code, 0) << verdict.said;
}

TEST_F(Dashboards, NameOnlyMetricsThatExist) {
  int panels = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root / "dashboards" / "grafana")) {
    const auto dashboard = nlohmann::json::parse(Read(entry.path()), nullptr, false);
    ASSERT_TRUE(dashboard.is_object()) << entry.path();
    for (const auto& panel : dashboard["panels"]) {
      for (const auto& target : panel.value("targets", nlohmann::json::array())) {
        ExpectKnown(target["expr"].get<std::string>());
        ++panels;
      }
    }
  }
  EXPECT_GT(panels, 20);
}

TEST_F(Dashboards, AlertOnlyOnMetricsThatExist) {
  const std::string rules = Read(root / "dashboards" / "prometheus" / "reprise.rules.yaml");
  EXPECT_GT(NamedIn(rules).size(), 5);
  ExpectKnown(rules);
}

TEST_F(Dashboards, PassTheirRulesTests) {
  const std::string rules = root / "dashboards" / "prometheus" / "reprise.rules.test.yaml";
  const auto verdict = Promtool({"test", "rules", rules});
  ASSERT_TRUE(verdict.ran);
  EXPECT_EQ(verdict.exit_code, 0) << verdict.said;
}

TEST_F(Dashboards, AreDocumentedMetricByMetric) {
  const std::string page = Read(root / "docs" / "METRICS.md");
  std::istringstream lines(scrape);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    const std::string name = line.substr(7, line.find(' ', 7) - 7);
    EXPECT_THAT(page, HasSubstr("`" + name + "`"));
  }
}

TEST_F(Dashboards, TellHealthFromReadiness) {
  EXPECT_EQ(web::testing::Ask(site.coordinator->web_port(), "GET", "/healthz").status, 200);
  EXPECT_EQ(web::testing::Ask(site.coordinator->web_port(), "GET", "/readyz").status, 200);
  EXPECT_EQ(web::testing::Ask(site.coordinator->web_port(), "GET", "/v1/join").status, 404)
      << "hosts join on a port of its own";
  EXPECT_EQ(web::testing::Ask(site.coordinator->web_port(), "POST", "/metrics").status, 405);
}

}  // namespace
}  // namespace reprise::coordinator::testing
