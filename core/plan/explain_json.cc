#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/model/keyring.h"
#include "core/model/names.h"
#include "core/model/restoring.h"
#include "core/plan/explain.h"
#include "core/plan/plan_parts.h"

namespace reprise::plan {
namespace {

using model::NameOf;

// Parameters are JSON already; what cannot be read stays a text.
Json Parsed(const std::string& text) {
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

Json JsonOf(const v1::Gate& gate) {
  return {{"name", gate.name()},
          {"question", gate.question()},
          {"approvers", std::vector<std::string>(gate.approvers().begin(), gate.approvers().end())},
          {"quorum", gate.quorum()}};
}

Json JsonOf(const v1::FailureBudget& budget) {
  Json json = Json::object();
  if (budget.has_max_failures()) json["max"] = budget.max_failures();
  if (budget.has_max_percent()) json["percent"] = budget.max_percent();
  return json;
}

Json StepJson(const PlanParts& parts, uint32_t stage, uint32_t index, const v1::Step& step) {
  Json json = {{"name", step.name()},
               {"uses", parts.UsesOf(step)},
               {"effect", NameOf(step.effect())},
               {"undoable", step.undoable()},
               {"params", Parsed(step.params_json())},
               {"params_differ", parts.FirstOverride(stage, index) != nullptr},
               {"timeout_ms", step.timeout_ms()},
               {"retries", step.retries()},
               {"on_failure", NameOf(step.on_failure())},
               {"tokens", Json::object()},
               {"artifacts", Json::array()}};
  if (step.has_recovery_point()) {
    const v1::RecoveryPoint& point = step.recovery_point();
    json["restores"] = {{"set", point.set()},
                        {"point", point.point()},
                        {"verdict", model::WordOf(point.verdict())},
                        {"trust", NameOf(model::TrustOf(point.taken_ms(), point.compromised_ms()))},
                        {"manifest_sha256", ToHex(point.manifest_sha256())},
                        {"judged_by", point.judged_by()},
                        {"concession", model::NeededAllowances(point).empty() ? Json() : Json(point.concession().name())}};
  }
  for (const v1::Capacity& token : step.tokens()) json["tokens"][token.token()] = token.amount();
  for (const uint32_t artifact : step.artifacts()) {
    if (artifact < static_cast<uint32_t>(parts.header.artifacts_size())) {
      json["artifacts"].push_back(parts.header.artifacts(static_cast<int>(artifact)).name());
    }
  }
  return json;
}

Json StageJson(const PlanParts& parts, uint32_t index, const v1::Stage& stage) {
  Json json = {{"name", stage.name()},
               {"after", Json::array()},
               {"gate", stage.has_gate() ? JsonOf(stage.gate()) : Json()},
               {"unreachable", NameOf(stage.unreachable())},
               {"unreachable_after_ms", stage.unreachable_after_ms()},
               {"in_flight_max", stage.in_flight_max()},
               {"failures", stage.has_wave_budget() ? JsonOf(stage.wave_budget()) : Json()},
               {"requires", Json::array()},
               {"repeat_ms", stage.repeat_ms()},
               {"steps", Json::array()},
               {"waves", Json::array()}};
  for (const v1::Requirement& requirement : stage.requirements()) {
    json["requires"].push_back({{"claim", requirement.claim()},
                                {"host", requirement.host()},
                                {"within_ms", requirement.within_ms()}});
  }
  for (const uint32_t before : stage.after()) json["after"].push_back(parts.StageName(before));
  for (uint32_t i = 0; i < static_cast<uint32_t>(stage.steps_size()); ++i) {
    json["steps"].push_back(StepJson(parts, index, i, stage.steps(static_cast<int>(i))));
  }
  for (uint32_t w = 0; w < parts.hosts[index].size(); ++w) {
    const v1::Wave& wave = stage.waves(static_cast<int>(w));
    Json hosts = Json::array();
    for (const uint32_t leaf : parts.hosts[index][w]) hosts.push_back(parts.leaves[leaf].host());
    json["waves"].push_back(
        {{"name", wave.name()}, {"gate", wave.has_gate() ? JsonOf(wave.gate()) : Json()}, {"hosts", std::move(hosts)}});
  }
  return json;
}

}  // namespace

absl::StatusOr<Json> PlanAsJson(const v1::PlanBundle& bundle) {
  ASSIGN_OR_RETURN(const PlanParts parts, PlanParts::Read(bundle));
  const v1::PlanHeader& header = parts.header;
  Json json = {{"plan", header.plan_id()},
               {"workflow", header.workflow()},
               {"requester", header.requester()},
               {"keyring_version", header.keyring_version()},
               {"effect", NameOf(header.effect())},
               {"changes", HasChanges(header)},
               // What a keyring asks for by default; its policy may ask for more.
               {"signatures_needed", model::SigningPolicy().SignaturesFor(header.effect())},
               {"exercise", header.exercise()},
               {"created_ms", header.created_ms()},
               {"expires_ms", header.expires_ms()},
               {"inventory_hosts", parts.annex.inventory_hosts()},
               {"hosts", parts.leaves.size()},
               {"plugins", Json::array()},
               {"artifacts", Json::array()},
               {"parameters", Json::object()},
               {"stages", Json::array()},
               {"left_out", Json::array()}};
  for (const v1::PluginRef& plugin : header.plugins()) {
    json["plugins"].push_back(
        {{"name", plugin.name()}, {"version", plugin.version()}, {"sha256", ToHex(plugin.sha256())}});
  }
  for (const v1::ArtifactRef& artifact : header.artifacts()) {
    json["artifacts"].push_back(
        {{"name", artifact.name()}, {"sha256", ToHex(artifact.sha256())}, {"size", artifact.size()}});
  }
  for (const v1::Parameter& parameter : parts.annex.parameters())
    json["parameters"][parameter.name()] = Parsed(parameter.value_json());
  for (uint32_t s = 0; s < static_cast<uint32_t>(header.stages_size()); ++s) {
    json["stages"].push_back(StageJson(parts, s, header.stages(static_cast<int>(s))));
  }
  for (const v1::Exclusion& each : parts.annex.exclusions()) {
    json["left_out"].push_back({{"host", each.host()},
                                {"stage", parts.StageName(each.stage())},
                                {"code", each.code()},
                                {"reason", each.reason()}});
  }
  return json;
}

}  // namespace reprise::plan
