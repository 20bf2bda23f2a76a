#include "core/report/advice.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "core/base/text.h"

namespace reprise::report {
namespace {

using operators::v1::RunView;
using operators::v1::TargetView;

constexpr size_t kHostsShown = 6;

constexpr char kMendAndRetry[] = "mend what is wrong, then `reprise run retry $0` ($2)";
constexpr char kNewPlan[] = "make a new plan: what is wrong stands in this one, and no retry changes it ($2)";
constexpr char kReturns[] = "nothing: done when they come back, until $3 ($2)";
constexpr char kRelease[] = "evidence hold: `reprise host release HOST` by an admin, and it goes on by itself ($2)";
constexpr char kAdmit[] = "`reprise host admit HOST` by an admin, and it goes on by itself ($2)";
constexpr char kZone[] = "the plan has another zone: `reprise host zone HOST ZONE` by an admin, or make a new plan ($2)";
constexpr char kSignAndRetry[] = "a signature is wanting: `reprise approve $1` by another person, then `reprise run retry $0` ($2)";
constexpr char kVerdict[] =
    "the copy may not be used as things stand: where a decider has not signed, that person runs `reprise approve $1`; "
    "where it was judged anew, make a new plan ($2)";
constexpr char kLookAt[] = "what holds them back has to be mended: `reprise run show $0` says it ($2)";

struct Remedy {
  std::string_view code;
  std::string_view held;    // Of a target that waits or was put off; empty: kLookAt.
  std::string_view failed;  // Of one that failed; empty: kMendAndRetry.
};

// The coordinator's own codes (core/engine/dispatcher.cc), the agent's refusals (agents/engine/judge.h), and those of plugins
// whose cause is fixed in what people signed.
constexpr Remedy kRemedies[] = {
    {"unreachable", kReturns, ""},
    {"no_answer", kReturns, ""},
    {"returned", kReturns, ""},
    {"upstream_deferred", kReturns, ""},
    {"hold", kRelease, "evidence hold: `reprise host release HOST` by an admin, then `reprise run retry $0` ($2)"},
    {"not_admitted", kAdmit, ""},
    {"quarantine", kAdmit, "`reprise host admit HOST` by an admin, then `reprise run retry $0` ($2)"},
    {"zone", kZone, kZone},
    {"asset_class", kNewPlan, kNewPlan},
    {"protected_class", "nothing but reading is ever done on this class: leave them out of a new plan ($2)",
     "nothing but reading is ever done on this class: leave them out of a new plan ($2)"},
    {"verdict", kVerdict, kVerdict},
    {"unsigned", "", kSignAndRetry},
    {"too_few_signatures", "", kSignAndRetry},
    {"plugin_unsigned", "",
     "nobody signed the plugin, nor this plan: `reprise approve $1`, then `reprise run retry $0` ($2)"},
    {"bad_signature", "", kNewPlan},
    {"bad_proof", "", kNewPlan},
    {"expired", kNewPlan, kNewPlan},
    {"wrong_host", "", kNewPlan},
    {"unknown_step", "", kNewPlan},
    {"replayed", "", kNewPlan},
    {"exercise", "", kNewPlan},
    {"effect", "", kNewPlan},
    {"plugin_hash", "", kNewPlan},
    {"unknown_action", "", kNewPlan},
    {"bad_params", "", kNewPlan},
    {"bad_artifact", "", kNewPlan},
    {"artifact_ambiguous", "", kNewPlan},
    {"wrong_package", "", kNewPlan},
    {"wrong_architecture", "", kNewPlan},
    {"not_in_evidence", "", kNewPlan},
    {"changed_since", "", kNewPlan},
    {"wrong_copy", "",
     "the files are not those that were judged, and the plan names their bytes: make a new plan; only where the wrong disk "
     "or folder stood there, put the right one, then `reprise run retry $0` ($2)"},
};

bool IsHeld(const TargetView& target) {
  const bool waits = target.state() == model::v1::TARGET_STATE_WAITING && !target.code().empty();
  return waits || target.state() == model::v1::TARGET_STATE_DEFERRED;
}

bool IsFailed(const TargetView& target) {
  return target.state() == model::v1::TARGET_STATE_FAILED || target.state() == model::v1::TARGET_STATE_ROLLED_BACK;
}

std::string Named(const std::vector<std::string>& hosts) {
  const size_t shown = std::min(hosts.size(), kHostsShown);
  return absl::StrCat(absl::StrJoin(hosts.begin(), hosts.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                      shown < hosts.size() ? absl::StrCat(" and ", hosts.size() - shown, " more") : "");
}

std::string Filled(std::string_view remedy, const RunView& run, const std::string& hosts) {
  return absl::Substitute(std::string(remedy), run.id(), run.plan_id(), hosts, FormatTime(run.expires_ms()));
}

}  // namespace

std::string_view RemedyOf(std::string_view code, bool held) {
  for (const Remedy& remedy : kRemedies) {
    if (remedy.code != code) continue;
    const std::string_view text = held ? remedy.held : remedy.failed;
    if (!text.empty()) return text;
  }
  return held ? kLookAt : kMendAndRetry;
}

std::vector<std::string> NextSteps(const RunView& run) {
  const bool goes_on = run.ended_ms() == 0;
  std::vector<std::pair<std::string_view, std::vector<std::string>>> ways;  // In the order of the targets.
  for (const TargetView& target : run.targets()) {
    if (goes_on ? !IsHeld(target) : !IsFailed(target)) continue;
    const std::string_view remedy = RemedyOf(target.code(), goes_on);
    auto way = std::find_if(ways.begin(), ways.end(), [&](const auto& one) { return one.first == remedy; });
    if (way == ways.end()) way = ways.insert(ways.end(), {remedy, {}});
    const auto& known = way->second;
    if (std::find(known.begin(), known.end(), target.host()) == known.end()) way->second.push_back(target.host());
  }
  std::vector<std::string> lines;
  for (const auto& [remedy, hosts] : ways) lines.push_back(Filled(remedy, run, Named(hosts)));
  if (!run.targets().empty()) return lines;
  const uint32_t count = goes_on ? run.counts().deferred() : run.counts().failed();
  if (count == 0) return lines;
  return {goes_on ? absl::StrCat(count, " host(s) are put off: `reprise run show ", run.id(), "` says why, and what to do")
                  : absl::StrCat(count, " host(s) failed: `reprise run show ", run.id(), "` says why, and what to do")};
}

}  // namespace reprise::report
