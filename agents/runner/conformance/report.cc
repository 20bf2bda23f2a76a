#include "agents/runner/conformance/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace reprise::conformance {
namespace {

using nlohmann::json;

struct VerdictName {
  Verdict verdict;
  const char* word;
  const char* shown;
};
constexpr VerdictName kVerdictNames[] = {{Verdict::kPass, "pass", "PASS"},
                                         {Verdict::kFail, "fail", "FAIL"},
                                         {Verdict::kNotApplicable, "not_applicable", "NOT APPLICABLE"}};

const VerdictName& NamesOf(Verdict verdict) {
  return *std::find_if(std::begin(kVerdictNames), std::end(kVerdictNames),
                       [&](const VerdictName& name) { return name.verdict == verdict; });
}

std::string Padded(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

}  // namespace

bool Passed(const Report& report) {
  return std::none_of(report.checks.begin(), report.checks.end(),
                      [](const Check& check) { return check.verdict == Verdict::kFail; });
}

std::string ToTable(const Report& report) {
  std::string table = absl::StrCat(report.plugin, "  sha256 ", report.sha256, "\n", report.setting, "\n\n");
  size_t action_width = 6, name_width = 5;
  for (const Check& check : report.checks) {
    action_width = std::max(action_width, check.action.size());
    name_width = std::max(name_width, check.name.size());
  }
  int counts[3] = {0, 0, 0};
  for (const Check& check : report.checks) {
    ++counts[static_cast<int>(check.verdict)];
    std::string line = absl::StrCat(Padded(NamesOf(check.verdict).shown, 16), Padded(check.action, action_width + 2),
                                    Padded(check.name, name_width + 2), check.reason);
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&table, line, "\n");
  }
  absl::StrAppend(&table, "\n", counts[0], " passed, ", counts[1], " failed, ", counts[2], " not applicable\n");
  return table;
}

json ToJson(const std::vector<Check>& checks) {
  json list = json::array();
  for (const Check& check : checks) {
    list.push_back({{"action", check.action},
                    {"name", check.name},
                    {"verdict", NamesOf(check.verdict).word},
                    {"reason", check.reason}});
  }
  return list;
}

json ToJson(const Report& report) {
  return {{"plugin", report.plugin},
          {"sha256", report.sha256},
          {"setting", report.setting},
          {"passed", Passed(report)},
          {"checks", ToJson(report.checks)}};
}

std::vector<Check> ChecksFromJson(const json& list) {
  std::vector<Check> checks;
  for (const json& item : list) {
    Check check{item.at("action"), item.at("name"), Verdict::kFail, item.at("reason")};
    for (const VerdictName& name : kVerdictNames) {
      if (item.at("verdict") == name.word) check.verdict = name.verdict;
    }
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace reprise::conformance
