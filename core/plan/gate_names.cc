#include "core/plan/gate_names.h"

#include "absl/strings/str_cat.h"

namespace reprise::plan {

std::string WaveName(const WavesSpec& waves, uint32_t wave) {
  if (waves.canary) return wave == 0 ? "canary" : absl::StrCat("wave-", wave);
  return absl::StrCat("wave-", wave + 1);
}

std::string StageGateName(const StageSpec& stage) {
  return stage.gate->name.empty() ? stage.name : stage.gate->name;
}

std::string WaveGateName(const StageSpec& stage, uint32_t wave) {
  const std::string& own = stage.waves.gate->name;
  if (!own.empty() && !stage.waves.gate_each) return own;
  return absl::StrCat(own.empty() ? stage.name : own, "-", WaveName(stage.waves, wave));
}

bool HasGateBefore(const StageSpec& stage, uint32_t wave) {
  return stage.waves.gate && wave > 0 && (stage.waves.gate_each || (wave == 1 && stage.waves.canary));
}

}  // namespace reprise::plan
