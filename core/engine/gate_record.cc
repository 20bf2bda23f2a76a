#include "core/engine/gate_record.h"

#include "absl/strings/str_cat.h"
#include "core/model/size_limits.h"

namespace reprise::engine {

using plan::v1::SignedStatement;

const SignedStatement* FindDecision(const journal::v1::GateRecord& gate, const model::GateStatement& decision,
                                    const std::function<bool(const SignedStatement&)>& counts) {
  for (const SignedStatement& each : gate.decisions()) {
    const auto before = model::GateStatement::Read(each.statement());
    if (before.ok() && before->signer == decision.signer && before->waive == decision.waive && counts(each)) return &each;
  }
  return nullptr;
}

absl::Status CheckRoom(const journal::v1::RunRecord& run, const SignedStatement& decision) {
  size_t count = 1, bytes = decision.ByteSizeLong();
  if (bytes > model::kGateBytesMax) {
    return absl::ResourceExhaustedError(absl::StrCat("the decision takes ", bytes, " bytes with its signature; agents take ",
                                                     model::kGateBytesMax, ". Sign with a shorter comment"));
  }
  for (const auto& gate : run.gates()) {
    for (const SignedStatement& each : gate.decisions()) {
      count += 1;
      bytes += each.ByteSizeLong();
    }
  }
  if (count <= model::kGatesOfPlanMax && bytes <= model::kGatesOfPlanBytesMax) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "with this decision the gates of run ", run.id(), " hold ", count, " of ", bytes, " bytes; agents keep ",
      model::kGatesOfPlanMax, " of ", model::kGatesOfPlanBytesMax, ". Abort the run and make a new plan for what is left"));
}

}  // namespace reprise::engine
