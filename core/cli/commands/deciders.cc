#include "core/cli/commands/deciders.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/model/restoring.h"

namespace reprise::cli {

std::vector<Decider> MissingDeciders(const plan::v1::PlanHeader& header,
                                     const google::protobuf::RepeatedPtrField<std::string>& signers) {
  std::vector<Decider> missing;
  for (const auto& stage : header.stages()) {
    for (const auto& step : stage.steps()) {
      const plan::v1::RecoveryPoint& point = step.recovery_point();
      const bool conceded = step.has_recovery_point() && model::MayEverServe(point.verdict()) &&
                            !model::NeededAllowances(point).empty();
      const std::string& name = point.concession().decided_by();
      if (!conceded || name.empty() || std::find(signers.begin(), signers.end(), name) != signers.end()) continue;
      const std::string decided =
          absl::StrCat("concession ", point.concession().name(), " about ", point.set(), "/", point.point());
      const bool known = std::any_of(missing.begin(), missing.end(), [&](const Decider& other) {
        return other.name == name && other.decided == decided;
      });
      if (!known) missing.push_back({name, decided});
    }
  }
  return missing;
}

std::string NamedDeciders(const std::vector<Decider>& deciders) {
  return absl::StrJoin(deciders, ", ", [](std::string* out, const Decider& one) {
    absl::StrAppend(out, one.name, " (", one.decided, ")");
  });
}

}  // namespace reprise::cli
