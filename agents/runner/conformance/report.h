// What the conformance kit found: one line for each promise of the contract and each action.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace reprise::conformance {

enum class Verdict { kPass, kFail, kNotApplicable };

struct Check {
  std::string action;  // Empty: the plugin as a whole.
  std::string name;    // "dry run changes nothing"
  Verdict verdict = Verdict::kPass;
  std::string reason;  // Why it fails or does not apply; what was seen, if it passes.
};

struct Report {
  std::string plugin;   // "mock 1.0.0"
  std::string sha256;   // Hex.
  std::string setting;  // Where the verbs ran.
  std::vector<Check> checks;
};

// Nothing failed. What did not apply is no failure, but it is no proof either.
bool Passed(const Report& report);

// For people.
std::string ToTable(const Report& report);
// {"plugin","sha256","setting","passed","checks":[{"action","name","verdict":"pass|fail|not_applicable","reason"}]}
nlohmann::json ToJson(const Report& report);

nlohmann::json ToJson(const std::vector<Check>& checks);
std::vector<Check> ChecksFromJson(const nlohmann::json& list);

}  // namespace reprise::conformance
