// The application's own checks, run: questions of the profile to its bases and its service. What could not be asked is
// not passed, and says so.
#pragma once

#include <string>
#include <vector>

#include "plugins/sdk/application/http.h"
#include "plugins/sdk/application/postgres.h"
#include "plugins/sdk/application/profile_reader.h"
#include "plugins/sdk/application/restored.h"

namespace reprise::sdk::application {

enum class Outcome { kPassed, kFailed, kNotAsked };

struct CheckResult {
  std::string name;
  Outcome outcome = Outcome::kNotAsked;
  std::string text;  // "staff: 3800, expected 3800"
};

inline std::string_view NameOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed: return "passed";
    case Outcome::kFailed: return "failed";
    case Outcome::kNotAsked: break;
  }
  return "not asked";
}

// What several checks come to: the worst. None: passed.
struct Checked {
  std::vector<CheckResult> results;

  Outcome Worst() const {
    Outcome worst = Outcome::kPassed;
    for (const CheckResult& result : results) {
      if (result.outcome == Outcome::kFailed) return Outcome::kFailed;
      if (result.outcome == Outcome::kNotAsked) worst = Outcome::kNotAsked;
    }
    return worst;
  }
  bool passed() const { return Worst() == Outcome::kPassed; }
  // "3 of 5 passed; failed: balance (…)"
  std::string Summary() const {
    size_t passed = 0;
    std::string others;
    for (const CheckResult& result : results) {
      if (result.outcome == Outcome::kPassed) {
        ++passed;
      } else {
        others += "; " + std::string(NameOf(result.outcome)) + ": " + result.text;
      }
    }
    return std::to_string(passed) + " of " + std::to_string(results.size()) + " checks passed" + others.substr(0, 600);
  }
  std::vector<Evidence> AsEvidence() const {
    std::vector<Evidence> evidence;
    for (const CheckResult& result : results) {
      evidence.push_back({"check", std::string(NameOf(result.outcome)) + ": " + result.text});
    }
    return evidence;
  }
  void Add(Checked more) {
    for (CheckResult& result : more.results) results.push_back(std::move(result));
  }
};

// `restoring`: the base that is being restored, for checks before it has its name; else empty.
inline CheckResult RunCheck(const Context& context, const Profile& profile, const Postgres& postgres, const Check& check,
                            const std::string& restoring = "") {
  context.ThrowIfCancelled();
  CheckResult result;
  result.name = check.name;
  const std::string label = check.title.empty() ? check.name : check.name + " (" + check.title + ")";
  const auto end = [&](Outcome outcome, const std::string& text) {
    result.outcome = outcome;
    result.text = label + ": " + text;
    return result;
  };
  std::string found, expected;
  if (!check.query.empty()) {
    const Module& module = ModuleOf(profile, check.module);
    const RunResult asked = postgres.Query(restoring.empty() ? module.base : restoring, module.owner, check.query, Postgres::kReading);
    if (!asked.ok()) return end(Outcome::kNotAsked, "base " + module.base + ": " + FirstComplaint(asked.err));
    found = asked.out.substr(0, asked.out.find('\n'));
  }
  if (!check.http.empty()) {
    const HttpAnswer answer = Get(context, profile.service.address, check.http);
    const std::string at = profile.service.address + check.http;
    if (answer.status == 0) return end(Outcome::kFailed, at + ": " + answer.why_not);
    if (answer.status != 200) return end(Outcome::kFailed, at + ": HTTP status " + std::to_string(answer.status));
    if (check.field.empty() && !check.equals && !check.at_least) return end(Outcome::kPassed, at + " answers 200");
    const auto value = FieldOf(answer.body, check.field);
    if (!value) return end(Outcome::kFailed, at + " has no field " + check.field);
    if (!check.query.empty()) {
      return end(*value == found ? Outcome::kPassed : Outcome::kFailed,
                 "the service says " + value->substr(0, 80) + ", the base " + found.substr(0, 80));
    }
    found = *value;
  }
  const std::string shown = found.substr(0, 80);
  if (check.equals) return end(found == *check.equals ? Outcome::kPassed : Outcome::kFailed, shown + ", expected " + *check.equals);
  char* stop = nullptr;
  const double number = std::strtod(found.c_str(), &stop);
  const bool enough = !found.empty() && *stop == '\0' && number >= *check.at_least;
  return end(enough ? Outcome::kPassed : Outcome::kFailed,
             shown + ", expected at least " + std::to_string(static_cast<int64_t>(*check.at_least)));
}

// `fresh`: nobody has worked in the bases yet.
inline Checked RunChecks(const Context& context, const Profile& profile, const Postgres& postgres,
                         const std::vector<Check>& checks, bool fresh, const std::string& restoring = "") {
  Checked checked;
  for (const Check& check : checks) {
    if (fresh || !check.fresh_only) checked.results.push_back(RunCheck(context, profile, postgres, check, restoring));
  }
  return checked;
}

}  // namespace reprise::sdk::application
