// Who must be among those who sign a plan: whoever decided a concession that it uses (core/model/restoring.h). The number of
// signatures alone does not say it.
#pragma once

#include <string>
#include <vector>

#include "reprise/operators/v1/operators.pb.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::cli {

struct Decider {
  std::string name;
  std::string decided;  // "concession loan about agiletime-db/2022-08-18"
};

// Those who have not signed yet, each once for each concession, in the order of the plan's steps.
std::vector<Decider> MissingDeciders(const plan::v1::PlanHeader& header,
                                     const google::protobuf::RepeatedPtrField<std::string>& signers);

// "carol (concession loan about agiletime-db/2022-08-18)", with commas between; empty for nobody.
std::string NamedDeciders(const std::vector<Decider>& deciders);

}  // namespace reprise::cli
