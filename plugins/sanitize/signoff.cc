#include "plugins/sanitize/signoff.h"

#include "plugins/sanitize/bundle.h"

namespace reprise::sanitize {
namespace {

constexpr const char* kSignedOffClaim = "sanitize.signed_off";

}  // namespace

sdk::ActionInfo Signoff::Describe() const {
  return {.name = "signoff",
          .summary = "Check the whole host once more, and its evidence: both must hold",
          .effect = sdk::Effect::kRead,
          .needs = {.root = true, .network = false, .processes = true, .paths = {}},
          .timeout = "1h",
          .memory_mb = 1536,
          .params = ExaminationParams(BundleParams())};
}

sdk::ProbeResult Signoff::Probe(sdk::Context& context) {
  const auto bundle = Bundle::Open(context, Bundle::FolderOf(context));
  Examination on(context);
  ExamineAll(on);
  const sdk::ClaimState clean = on.report.State();
  const std::string evidence = bundle ? "evidence " + bundle->manifest_sha256() + " is whole" : "there is no evidence";
  const sdk::ClaimState state = bundle || clean != sdk::ClaimState::kHolds ? clean : sdk::ClaimState::kFails;
  const std::string detail = on.report.Summary() + "; " + evidence;
  const size_t shown = context.Param<size_t>("shown_max");
  Json observed = on.report.Observed(shown);
  observed["manifest_sha256"] = bundle ? bundle->manifest_sha256() : "";
  std::vector<sdk::Evidence> lines = on.report.Evidence(shown);
  lines.push_back({"evidence", evidence});
  return {.holds = state == sdk::ClaimState::kHolds,
          .summary = detail,
          .observed = std::move(observed),
          .evidence = std::move(lines),
          .claims = {{kCleanClaim, clean, on.report.Summary()}, {kSignedOffClaim, state, detail}}};
}

}  // namespace reprise::sanitize
