// The statement that stands for a plan: what its parts make of it. Whoever signs it has signed every byte of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/model/statements.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::model {

// `header_bytes`: as they are stored and sent, for protobuf has no canonical form. `leaves`: the bytes of each host's part.
PlanStatement StatementOf(const plan::v1::PlanHeader& header, std::string_view header_bytes,
                          const std::vector<std::string>& leaves);

}  // namespace reprise::model
