#include "core/plan/plan_parts.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace reprise::plan {

absl::StatusOr<PlanParts> PlanParts::Read(const v1::PlanBundle& bundle) {
  PlanParts parts;
  if (!parts.header.ParseFromString(bundle.header()))
    return absl::InvalidArgumentError("the plan's header cannot be read");
  if (!parts.annex.ParseFromString(bundle.annex()))
    return absl::InvalidArgumentError("the plan's annex cannot be read");
  for (const v1::Stage& stage : parts.header.stages())
    parts.hosts.emplace_back(static_cast<size_t>(stage.waves_size()));
  parts.leaves.reserve(static_cast<size_t>(bundle.leaves_size()));
  for (const std::string& bytes : bundle.leaves()) {
    const auto index = static_cast<uint32_t>(parts.leaves.size());
    v1::HostLeaf& leaf = parts.leaves.emplace_back();
    if (!leaf.ParseFromString(bytes)) return absl::InvalidArgumentError("a host's part of the plan cannot be read");
    for (const v1::Placement& placement : leaf.placements()) {
      if (placement.stage() >= parts.hosts.size() || placement.wave() >= parts.hosts[placement.stage()].size()) {
        return absl::InvalidArgumentError(
            absl::StrCat(leaf.host(), " is placed in a wave that the plan does not have"));
      }
      parts.hosts[placement.stage()][placement.wave()].push_back(index);
    }
  }
  return parts;
}

std::string PlanParts::UsesOf(const v1::Step& step) const {
  const bool known = step.plugin() < static_cast<uint32_t>(header.plugins_size());
  return absl::StrCat(known ? header.plugins(static_cast<int>(step.plugin())).name() : "?", ".", step.action());
}

std::string PlanParts::StageName(uint32_t stage) const {
  return stage < static_cast<uint32_t>(header.stages_size()) ? header.stages(static_cast<int>(stage)).name() : "?";
}

const std::string* PlanParts::FirstOverride(uint32_t stage, uint32_t step) const {
  for (const auto& wave : hosts[stage]) {
    for (const uint32_t leaf : wave) {
      for (const v1::Placement& placement : leaves[leaf].placements()) {
        if (placement.stage() != stage) continue;
        for (const v1::StepParams& own : placement.overrides()) {
          if (own.step() == step) return &own.params_json();
        }
        return nullptr;  // A step has own parameters for all hosts of its stage, or for none.
      }
    }
  }
  return nullptr;
}

}  // namespace reprise::plan
