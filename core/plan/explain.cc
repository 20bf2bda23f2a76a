#include "core/plan/explain.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/utf8.h"
#include "core/model/keyring.h"
#include "core/model/names.h"
#include "core/model/restoring.h"
#include "core/plan/plan_parts.h"

namespace reprise::plan {
namespace {

using model::NameOf;

std::string Count(uint64_t count, const std::string& word) {
  return absl::StrCat(count, " ", word, count == 1 ? "" : "s");
}

std::string NameList(const std::vector<std::string>& names, size_t names_max) {
  if (names_max == 0 || names.size() <= names_max) return absl::StrJoin(names, ", ");
  const std::vector<std::string> shown(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(names_max));
  return absl::StrCat(absl::StrJoin(shown, ", "), " and ", names.size() - names_max, " more");
}

std::string BudgetText(const v1::FailureBudget& budget) {
  std::vector<std::string> parts;
  if (budget.has_max_failures()) parts.push_back(absl::StrCat("more than ", budget.max_failures()));
  if (budget.has_max_percent()) parts.push_back(absl::StrCat("more than ", budget.max_percent(), "%"));
  return absl::StrJoin(parts, " or ");
}

class Explainer {
 public:
  Explainer(const PlanParts& parts, size_t names_max) : parts_(parts), header_(parts.header), names_max_(names_max) {}

  std::string Explain() {
    Head();
    for (uint32_t s = 0; s < static_cast<uint32_t>(header_.stages_size()); ++s) StageLines(s);
    LeftOut();
    Signatures();
    return std::move(text_);
  }

 private:
  // Whatever a plan holds is shown as plain text: a name cannot steer the terminal.
  template <typename... Parts>
  void Line(size_t depth, const Parts&... parts) {
    absl::StrAppend(&text_, std::string(depth * 2, ' '), crypto::MakePlain(absl::StrCat(parts...)), "\n");
  }

  void Head() {
    Line(0, "Plan ", header_.plan_id(), header_.exercise() ? " (EXERCISE)" : "");
    Line(1, "workflow    ", header_.workflow());
    Line(1, "asked by    ", header_.requester(),
         header_.keyring_version() == 0 ? ", without a keyring: it cannot be signed"
                                        : absl::StrCat(", under keyring version ", header_.keyring_version()));
    Line(1, "made        ", FormatTime(header_.created_ms()), ", expires ", FormatTime(header_.expires_ms()),
         " (after ", FormatDurationMs(std::max<int64_t>(0, header_.expires_ms() - header_.created_ms())), ")");
    Line(1, "effect      ", NameOf(header_.effect()),
         HasChanges(header_) ? "" : ": it only looks, and changes nothing");
    Line(1, "hosts       ", parts_.leaves.size(), " of ", parts_.annex.inventory_hosts(), " in the inventory");
    for (const v1::Parameter& parameter : parts_.annex.parameters()) {
      Line(1, "parameter   ", parameter.name(), " = ", parameter.value_json());
    }
    for (const v1::PluginRef& plugin : header_.plugins()) {
      Line(1, "plugin      ", plugin.name(), " ", plugin.version(), " (", ToHex(plugin.sha256()).substr(0, 12), "…)");
    }
    for (const v1::ArtifactRef& artifact : header_.artifacts()) {
      Line(1, "artifact    ", artifact.name(), ", ", Count(artifact.size(), "byte"), " (",
           ToHex(artifact.sha256()).substr(0, 12), "…)");
    }
    std::vector<std::string> limits;
    const v1::RunLimits& run = header_.limits();
    if (run.in_flight_max() > 0)
      limits.push_back(absl::StrCat("at most ", Count(run.in_flight_max(), "host"), " at work at once"));
    if (run.per_host_max() > 1) limits.push_back(absl::StrCat(run.per_host_max(), " tasks at once on one host"));
    if (run.has_budget()) limits.push_back(absl::StrCat("the run pauses at ", BudgetText(run.budget()), " failures"));
    for (const v1::Capacity& capacity : header_.capacities())
      limits.push_back(absl::StrCat(capacity.amount(), " of ", capacity.token()));
    if (!limits.empty()) Line(1, "limits      ", absl::StrJoin(limits, "; "));
  }

  void GateLine(size_t depth, const v1::Gate& gate) {
    const std::vector<std::string> approvers(gate.approvers().begin(), gate.approvers().end());
    Line(depth, "gate ", gate.name(), ": ", gate.question());
    Line(depth + 1, Count(std::max(1u, gate.quorum()), "approval"), " by ",
         approvers.empty() ? "any active approver" : NameList(approvers, 0), "; never by ", header_.requester());
  }

  void StageLines(uint32_t index) {
    const v1::Stage& stage = header_.stages(static_cast<int>(index));
    uint64_t hosts = 0;
    for (const auto& wave : parts_.hosts[index]) hosts += wave.size();
    std::vector<std::string> after;
    for (const uint32_t before : stage.after()) after.push_back(parts_.StageName(before));
    text_ += "\n";
    Line(0, "Stage ", stage.name(), ": ", Count(hosts, "host"),
         after.empty() ? "" : absl::StrCat(", after ", absl::StrJoin(after, ", ")));
    if (hosts == 0) return Line(1, "nobody to do it on: passed over");
    if (stage.has_gate()) GateLine(1, stage.gate());
    for (const v1::Requirement& requirement : stage.requirements()) {
      Line(1, "requires ", requirement.claim(), " of ", requirement.host(), ", proven within the last ",
           FormatDurationMs(requirement.within_ms()), " before anything is sent");
    }
    if (stage.repeat_ms() > 0) {
      Line(1, "done again ", FormatDurationMs(stage.repeat_ms()), " after each time, as long as the run lasts");
    }
    for (uint32_t w = 0; w < parts_.hosts[index].size(); ++w) {
      const v1::Wave& wave = stage.waves(static_cast<int>(w));
      if (wave.has_gate()) GateLine(1, wave.gate());
      std::vector<std::string> names;
      for (const uint32_t leaf : parts_.hosts[index][w]) names.push_back(parts_.leaves[leaf].host());
      Line(1, wave.name(), ": ", Count(names.size(), "host"), ": ", NameList(names, names_max_));
    }
    std::vector<std::string> limits;
    if (stage.in_flight_max() > 0)
      limits.push_back(absl::StrCat("at most ", Count(stage.in_flight_max(), "host"), " at work at once"));
    if (stage.has_wave_budget())
      limits.push_back(absl::StrCat("pauses when ", BudgetText(stage.wave_budget()), " of a wave failed"));
    limits.push_back(absl::StrCat("a host silent for ", FormatDurationMs(stage.unreachable_after_ms()),
                                  stage.unreachable() == model::v1::UNREACHABLE_FAIL ? " counts as failed"
                                  : stage.unreachable() == model::v1::UNREACHABLE_WAIT
                                      ? " is waited for"
                                      : " is put off until it returns"));
    Line(1, "limits: ", absl::StrJoin(limits, "; "));
    for (uint32_t i = 0; i < static_cast<uint32_t>(stage.steps_size()); ++i)
      StepLines(index, i, stage.steps(static_cast<int>(i)));
  }

  void StepLines(uint32_t stage, uint32_t index, const v1::Step& step) {
    std::vector<std::string> how = {NameOf(step.effect())};
    if (step.effect() > model::v1::EFFECT_READ) how.push_back(step.undoable() ? "can be undone" : "cannot be undone");
    how.push_back(absl::StrCat("at most ", FormatDurationMs(step.timeout_ms())));
    if (step.retries() > 0) {
      how.push_back(absl::StrCat(step.retries() == 1 ? "1 retry" : absl::StrCat(step.retries(), " retries"), " after ",
                                 FormatDurationMs(step.backoff_ms())));
    }
    how.push_back(absl::StrCat("on failure: ", NameOf(step.on_failure())));
    for (const v1::Capacity& token : step.tokens())
      how.push_back(absl::StrCat("takes ", token.amount(), " of ", token.token()));
    Line(1, "step ", index + 1, ". ", step.name(), ": ", parts_.UsesOf(step), " (", absl::StrJoin(how, "; "), ")");
    if (step.params_json() != "{}" && !step.params_json().empty()) Line(2, "with ", step.params_json());
    if (const std::string* own = parts_.FirstOverride(stage, index)) Line(2, "each host its own, the first: ", *own);
    if (step.has_recovery_point()) CopyLines(step.recovery_point());
    std::vector<std::string> names;
    for (const uint32_t artifact : step.artifacts()) {
      if (artifact < static_cast<uint32_t>(header_.artifacts_size()))
        names.push_back(header_.artifacts(static_cast<int>(artifact)).name());
    }
    if (!names.empty()) Line(2, "artifacts: ", absl::StrJoin(names, ", "));
  }

  void CopyLines(const v1::RecoveryPoint& point) {
    const std::string taken = point.taken_ms() == 0 ? "taken nobody knows when"
                                                    : absl::StrCat("taken ", FormatTime(point.taken_ms()));
    const std::string trust = model::TrustOf(point.taken_ms(), point.compromised_ms()) ==
                                      model::v1::POINT_TRUST_BEFORE_COMPROMISE
                                  ? "before the first compromise"
                              : point.compromised_ms() != 0 && point.taken_ms() != 0
                                  ? "AFTER the first compromise"
                                  : "and it is NOT KNOWN whether before the first compromise";
    Line(2, "restores ", point.set(), "/", point.point(), ": ", model::WordOf(point.verdict()), " by ",
         point.judged_by(), " at ", FormatTime(point.judged_ms()), "; ", taken, ", ", trust);
    Line(2, "its manifest: ", ToHex(point.manifest_sha256()));
    if (model::NeededAllowances(point).empty()) return;
    const v1::Concession& concession = point.concession();
    std::vector<std::string> allows;
    for (const int allowance : concession.allows())
      allows.push_back(NameOf(static_cast<model::v1::Allowance>(allowance)));
    Line(2, "CONCESSION ", concession.name(), " (", absl::StrJoin(allows, ", "), ") decided by ",
         concession.decided_by(), ", who must sign, until ", FormatTime(concession.expires_ms()), ": ",
         concession.reason(), "; instead: ", concession.compensating());
  }

  // By stage and code; hosts of one reason stand together.
  void LeftOut() {
    if (parts_.annex.exclusions().empty()) return;
    std::map<uint32_t, std::map<std::string, std::map<std::string, std::vector<std::string>>>> groups;
    for (const v1::Exclusion& each : parts_.annex.exclusions())
      groups[each.stage()][each.code()][each.reason()].push_back(each.host());
    text_ += "\n";
    Line(0, "Left out");
    for (const auto& [stage, codes] : groups) {
      for (const auto& [code, reasons] : codes) {
        size_t hosts = 0;
        for (const auto& [reason, names] : reasons) hosts += names.size();
        Line(1, parts_.StageName(stage), ": ", code, ": ", Count(hosts, "host"));
        for (const auto& [reason, names] : reasons) Line(2, reason, ": ", NameList(names, names_max_));
      }
    }
  }

  void Signatures() {
    text_ += "\n";
    const uint32_t needed = model::SigningPolicy().SignaturesFor(header_.effect());
    if (needed == 0) return Line(0, "No signature is needed to look.");
    Line(0, "To be signed by ", needed == 1 ? "1 person" : absl::StrCat(needed, " distinct people"),
         ", or more if the keyring's policy says so: `reprise approve ", header_.plan_id(), "`");
  }

  const PlanParts& parts_;
  const v1::PlanHeader& header_;
  const size_t names_max_;
  std::string text_;
};

}  // namespace

absl::StatusOr<std::string> ExplainPlan(const v1::PlanBundle& bundle, size_t names_max) {
  ASSIGN_OR_RETURN(const PlanParts parts, PlanParts::Read(bundle));
  return Explainer(parts, names_max).Explain();
}

bool HasChanges(const v1::PlanHeader& header) {
  return std::any_of(header.stages().begin(), header.stages().end(), [](const v1::Stage& stage) {
    const bool hosts = std::any_of(stage.waves().begin(), stage.waves().end(),
                                   [](const v1::Wave& wave) { return wave.host_count() > 0; });
    return hosts && std::any_of(stage.steps().begin(), stage.steps().end(),
                                [](const v1::Step& step) { return step.effect() != model::v1::EFFECT_READ; });
  });
}

}  // namespace reprise::plan
