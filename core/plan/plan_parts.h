// A bundle taken apart for those who tell it: header, leaves, annex, and which hosts stand in which wave.
// Private to core/plan.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/plan/node.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::plan {

struct PlanParts {
  v1::PlanHeader header;
  v1::PlanAnnex annex;
  std::vector<v1::HostLeaf> leaves;
  // [stage][wave]: indexes of leaves.
  std::vector<std::vector<std::vector<uint32_t>>> hosts;

  // INVALID_ARGUMENT: a part cannot be read, or names what is not there.
  static absl::StatusOr<PlanParts> Read(const v1::PlanBundle& bundle);

  // "edr.install"
  std::string UsesOf(const v1::Step& step) const;
  std::string StageName(uint32_t stage) const;
  // A host's own parameters of a step, the first host's; empty: all have the same.
  const std::string* FirstOverride(uint32_t stage, uint32_t step) const;
};

}  // namespace reprise::plan
