#include "agents/runner/conformance/verb_checks.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/runner/conformance/sample_params.h"
#include "agents/runner/conformance/schema.h"
#include "core/base/text.h"

namespace reprise::conformance {
namespace {

using agents::VerbEnd;
using model::v1::VERB_APPLY;
using model::v1::VERB_PLAN;
using model::v1::VERB_PROBE;
using model::v1::VERB_ROLLBACK;
using model::v1::VERB_UNSPECIFIED;
using model::v1::VERB_VERIFY;
using nlohmann::json;

// Collects the checks of one action.
class Checks {
 public:
  explicit Checks(std::string action) : action_(std::move(action)) {}
  void Pass(const std::string& name, const std::string& reason = "") { Add(name, Verdict::kPass, reason); }
  void Fail(const std::string& name, const std::string& reason) { Add(name, Verdict::kFail, reason); }
  void Skip(const std::string& name, const std::string& reason) { Add(name, Verdict::kNotApplicable, reason); }
  // An empty reason: kept.
  void Judge(const std::string& name, const std::string& why_not) {
    Add(name, why_not.empty() ? Verdict::kPass : Verdict::kFail, why_not);
  }
  std::vector<Check> Take() { return std::move(checks_); }

 private:
  void Add(const std::string& name, Verdict verdict, const std::string& reason) {
    checks_.push_back({action_, name, verdict, reason});
  }
  std::string action_;
  std::vector<Check> checks_;
};

bool Holds(const Ran& ran) { return ran.answer.is_object() && ran.answer.value("holds", json()) == true; }
bool Changed(const Ran& ran) { return ran.answer.is_object() && ran.answer.value("changed", json()) == true; }

std::string First(const std::set<std::string>& paths) {
  std::vector<std::string> some(paths.begin(), std::next(paths.begin(), std::min<long>(3, static_cast<long>(paths.size()))));
  return absl::StrCat(absl::StrJoin(some, ", "), paths.size() > 3 ? absl::StrCat(" and ", paths.size() - 3, " more") : "");
}

// The keys that each answer must have, beside error.
std::string WhyNotAnAnswer(model::v1::Verb verb, const json& answer) {
  const auto is = [&](const char* key, bool (json::*type)() const noexcept) {
    return answer.contains(key) && (answer[key].*type)();
  };
  if (!answer.is_object()) return "the answer is no object";
  if (!is("summary", &json::is_string)) return "no summary";
  if ((verb == VERB_PROBE || verb == VERB_VERIFY) && !is("holds", &json::is_boolean)) return "holds is not true or false";
  if (verb == VERB_PLAN && !is("changes", &json::is_array)) return "no list of changes";
  if (verb == VERB_APPLY && !is("changed", &json::is_boolean)) return "changed is not true or false";
  return "";
}

std::string WhyNotHandled(const Ran& ran, bool valid) {
  if (!ran.done() && !ran.error()) return ran.Shown();
  if (!valid && ran.done()) return "accepted, although the schema refuses it";
  return "";
}

void CheckHostile(Subject& subject, const ActionUnderTest& action, Checks& checks) {
  const json schema = action.descriptor.value("params", json::object());
  int tried = 0;
  for (const Hostile& hostile : HostileParams(schema, action.params)) {
    ++tried;
    const bool valid = WhyNotValid(schema, hostile.params).empty();
    const std::string wrong = WhyNotHandled(subject.Run(VERB_PROBE, action.name, hostile.params), valid);
    if (!wrong.empty()) return checks.Fail("hostile parameters", absl::StrCat(hostile.what, ": ", wrong));
  }
  for (const json& name : schema.value("required", json::array())) {
    json params = action.params;
    params.erase(name.get<std::string>());
    const std::string wrong = WhyNotHandled(subject.Run(VERB_PROBE, action.name, params), false);
    if (!wrong.empty()) {
      return checks.Fail("hostile parameters", absl::StrCat(name.get<std::string>(), " is missing: ", wrong));
    }
    ++tried;
  }
  checks.Pass("hostile parameters", absl::StrCat(tried, " tried"));
}

void CheckSecrets(const Subject& subject, const ActionUnderTest& action, const char* name, Checks& checks) {
  if (action.secrets.empty()) return checks.Skip(name, "no parameter is marked writeOnly");
  const std::string heard = subject.heard();
  for (const std::string& secret : action.secrets) {
    const size_t found = heard.find(secret);
    if (found == std::string::npos) continue;
    const size_t line = found == 0 ? 0 : heard.rfind('\n', found - 1) + 1;
    return checks.Fail(name, absl::StrCat("told: ", heard.substr(line, std::min<size_t>(found - line, 60)), "(secret)"));
  }
  checks.Pass(name);
}

bool Below(const std::string& path, const std::string& folder) {
  if (folder == "/" || path == folder) return true;
  return path.compare(0, folder.size(), folder) == 0 && path.size() > folder.size() &&
         (folder.back() == '/' || path[folder.size()] == '/');
}

void CheckPaths(Root& root, const ActionUnderTest& action, Checks& checks) {
  const char* name = "writes only its declared paths";
  if (!root.is_throwaway()) return checks.Skip(name, "needs root, to see what is written");
  std::set<std::string> outside;
  const json folders = action.descriptor.value("needs", json::object()).value("paths", json::array());
  for (const std::string& path : root.Written()) {
    const bool declared = std::any_of(folders.begin(), folders.end(), [&](const json& folder) {
      return folder.is_string() && Below(path, folder.get<std::string>());
    });
    if (!declared) outside.insert(path);
  }
  checks.Judge(name, outside.empty() ? "" : "needs.paths does not name " + First(outside));
}

void CheckRollback(Subject& subject, const ActionUnderTest& action, bool changed, Checks& checks) {
  const char* name = "rollback undoes it";
  if (!action.undoable()) return checks.Skip(name, "not undoable");
  if (!changed) return checks.Skip(name, "apply changed nothing here");
  const Ran undone = subject.Run(VERB_ROLLBACK, action.name, action.params);
  if (!undone.done()) return checks.Fail(name, undone.Shown());
  const Ran probed = subject.Run(VERB_PROBE, action.name, action.params);
  checks.Judge(name, !probed.done() ? probed.Shown() : Holds(probed) ? "probe still holds afterwards" : "");
}

}  // namespace

std::vector<Check> CheckLooking(Root& root, const std::string& sha256, const ActionUnderTest& action) {
  Checks checks(action.name);
  Subject subject(root, sha256);
  root.Forget();
  std::string wrong;
  for (const model::v1::Verb verb : {VERB_PROBE, VERB_PLAN}) {
    const Ran ran = subject.Run(verb, action.name, action.params);
    if (wrong.empty()) wrong = ran.done() ? WhyNotAnAnswer(verb, ran.answer) : ran.Shown();
  }
  checks.Judge("probe and plan answer", wrong);
  // verify may fail before anything is applied; what matters is that it does not write.
  subject.Run(VERB_VERIFY, action.name, action.params);
  const std::set<std::string> written = root.Written();
  if (root.is_throwaway()) {
    checks.Judge("dry run changes nothing", written.empty() ? "" : "wrote " + First(written));
  } else {
    checks.Judge("dry run changes nothing", wrong.empty() ? "" : "does not answer on a read-only file system");
  }
  const Ran unknown = subject.Run(VERB_UNSPECIFIED, action.name, action.params);
  checks.Judge("an unknown verb is refused", unknown.error() ? "" : unknown.Shown());
  json more = action.params;
  more["no_such_parameter"] = 1;
  const Ran refused = subject.Run(VERB_PROBE, action.name, more);
  checks.Judge("an unknown parameter is refused", refused.error() ? "" : refused.Shown());
  CheckHostile(subject, action, checks);
  CheckSecrets(subject, action, "no secret is told while looking", checks);
  return checks.Take();
}

std::vector<Check> CheckChanging(Root& root, const std::string& sha256, const ActionUnderTest& action,
                                 int64_t& apply_ms) {
  Checks checks(action.name);
  Subject subject(root, sha256);
  root.Forget();
  const bool held = Holds(subject.Run(VERB_PROBE, action.name, action.params));
  const Ran planned = subject.Run(VERB_PLAN, action.name, action.params);
  const bool to_do = planned.done() && !planned.answer.value("changes", json::array()).empty();
  const Ran first = subject.Run(VERB_APPLY, action.name, action.params);
  apply_ms = first.lasted.count();
  if (!first.done()) {
    checks.Fail("apply makes it so", first.Shown());
    CheckSecrets(subject, action, "no secret is told while changing", checks);
    return checks.Take();
  }
  const Ran probed = subject.Run(VERB_PROBE, action.name, action.params);
  const Ran verified = subject.Run(VERB_VERIFY, action.name, action.params);
  std::string wrong = WhyNotAnAnswer(VERB_APPLY, first.answer);
  if (wrong.empty() && !Holds(probed)) wrong = "probe does not hold after apply";
  if (wrong.empty() && held == Changed(first)) wrong = held ? "changed, although it held already" : "says that it changed nothing";
  checks.Judge("apply makes it so", wrong);
  checks.Judge("verify proves it", !verified.done() ? verified.Shown()
                                   : Holds(verified) ? WhyNotAnAnswer(VERB_VERIFY, verified.answer)
                                                     : "verify does not hold after apply");
  checks.Judge("plan foretells it", !planned.done()             ? planned.Shown()
                                    : to_do != Changed(first) ? "plan and apply disagree about whether there is something to do"
                                                                : "");
  const Ran second = subject.Run(VERB_APPLY, action.name, action.params);
  if (!action.descriptor.value("idempotent", true)) {
    checks.Skip("apply twice changes once", "declared as not idempotent");
  } else {
    checks.Judge("apply twice changes once", !second.done()    ? second.Shown()
                                             : Changed(second) ? "the second apply changed something again"
                                                               : "");
  }
  CheckPaths(root, action, checks);
  CheckRollback(subject, action, Changed(first), checks);
  const absl::StatusOr<int64_t> timeout = ParseDurationMs(action.descriptor.value("timeout", ""));
  const std::string took = absl::StrCat("apply took ", FormatDurationMs(apply_ms));
  if (timeout.ok() && apply_ms <= *timeout) {
    checks.Pass("ends within its timeout", took);
  } else {
    checks.Fail("ends within its timeout", took);
  }
  CheckSecrets(subject, action, "no secret is told while changing", checks);
  return checks.Take();
}

std::string WhyNotKillable(Root& root, const std::string& sha256, const ActionUnderTest& action,
                           std::chrono::milliseconds delay) {
  Subject subject(root, sha256);
  subject.Run(VERB_PROBE, action.name, action.params);  // So that the next one starts at once.
  subject.RunAndKill(VERB_APPLY, action.name, action.params, delay);
  const Ran probed = subject.Run(VERB_PROBE, action.name, action.params);
  if (!probed.done()) return absl::StrCat("then probe: ", probed.Shown());
  const Ran again = subject.Run(VERB_APPLY, action.name, action.params);
  if (!again.done()) return absl::StrCat("then apply: ", again.Shown());
  const Ran after = subject.Run(VERB_PROBE, action.name, action.params);
  return Holds(after) ? "" : "then apply, and probe does not hold";
}

Check CheckCancelling(Root& root, const std::string& sha256, const ActionUnderTest& action,
                      std::chrono::milliseconds delay) {
  constexpr const char* kName = "ends when asked";
  Subject subject(root, sha256);
  subject.Run(VERB_PROBE, action.name, action.params);
  const Ran ran = subject.RunAndCancel(VERB_APPLY, action.name, action.params, delay);
  if (ran.result.end != VerbEnd::kCancelled) {
    return {action.name, kName, Verdict::kNotApplicable, "apply had ended before it could be asked"};
  }
  if (ran.lasted >= std::chrono::milliseconds(1900)) {
    return {action.name, kName, Verdict::kFail, "did not end within 2 seconds and was killed"};
  }
  return {action.name, kName, Verdict::kPass, absl::StrCat("after ", ran.lasted.count(), " ms")};
}

}  // namespace reprise::conformance
