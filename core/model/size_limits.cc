#include "core/model/size_limits.h"

#include "absl/strings/str_cat.h"

namespace reprise::model {
namespace {

// Of 2^32 hosts, with what protobuf puts around each hash.
constexpr size_t kProofBytesMax = 32 * 34;

struct Greatest {
  size_t bytes = 0;
  std::string step;
};

Greatest GreatestParams(const plan::v1::PlanHeader& header, const plan::v1::HostLeaf& leaf) {
  Greatest greatest;
  const auto consider = [&](uint32_t stage, uint32_t step, size_t bytes) {
    const bool known = stage < static_cast<uint32_t>(header.stages_size()) &&
                       step < static_cast<uint32_t>(header.stages(static_cast<int>(stage)).steps_size());
    if (!known || bytes <= greatest.bytes) return;
    const plan::v1::Stage& its_stage = header.stages(static_cast<int>(stage));
    greatest = {bytes,
                absl::StrCat("step ", its_stage.steps(static_cast<int>(step)).name(), " of stage ", its_stage.name())};
  };
  for (int s = 0; s < header.stages_size(); ++s) {
    for (int i = 0; i < header.stages(s).steps_size(); ++i) {
      consider(static_cast<uint32_t>(s), static_cast<uint32_t>(i), header.stages(s).steps(i).params_json().size());
    }
  }
  for (const auto& placement : leaf.placements()) {
    for (const auto& own : placement.overrides()) consider(placement.stage(), own.step(), own.params_json().size());
  }
  return greatest;
}

}  // namespace

absl::Status CheckReason(std::string_view what, std::string_view text) {
  if (text.size() <= kReasonBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(std::string(what), " is ", text.size(), " bytes long; at most ",
                                                 kReasonBytesMax,
                                                 " are taken. Say it shortly, and name where the rest is written"));
}

absl::Status CheckPlanTravels(size_t statement_bytes, const plan::v1::PlanHeader& header, size_t header_bytes,
                              const std::vector<plan::v1::HostLeaf>& leaves,
                              const std::vector<std::string>& leaf_bytes) {
  size_t worst = 0;
  for (size_t i = 0; i < leaf_bytes.size(); ++i) {
    if (leaf_bytes[i].size() > leaf_bytes[worst].size()) worst = i;
  }
  if (leaf_bytes.empty()) return absl::OkStatus();
  const size_t bytes = statement_bytes + header_bytes + leaf_bytes[worst].size() + kProofBytesMax;
  if (bytes <= kPlanPartBytesMax) return absl::OkStatus();
  const Greatest greatest = GreatestParams(header, leaves[worst]);
  return absl::InvalidArgumentError(absl::StrCat(
      "what host ", leaves[worst].host(), " must be sent of the plan takes ", bytes, " bytes; at most ",
      kPlanPartBytesMax, " can be sent. ",
      greatest.bytes == 0 ? "It is what the stages themselves take: make several workflows of this one"
                          : absl::StrCat("The most of it, ", greatest.bytes, " bytes, are the parameters of ",
                                         greatest.step, ": hand great content in as a file, `reprise artifact add`")));
}

}  // namespace reprise::model
