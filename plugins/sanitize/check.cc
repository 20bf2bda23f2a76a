#include "plugins/sanitize/check.h"

#include "plugins/sanitize/examination.h"

namespace reprise::sanitize {

sdk::ActionInfo Check::Describe() const {
  return {.name = "check",
          .summary = "Compare a host with its packages and hunt for an intruder's ways back; what was not seen is unknown",
          .effect = sdk::Effect::kRead,
          .needs = {.root = true, .network = false, .processes = true, .paths = {}},
          .timeout = "30m",
          .memory_mb = 1536,
          .params = ExaminationParams()};
}

sdk::ProbeResult Check::Probe(sdk::Context& context) {
  Examination on(context);
  ExamineAll(on);
  const size_t shown = context.Param<size_t>("shown_max");
  return {.holds = on.report.State() == sdk::ClaimState::kHolds,
          .summary = on.report.Summary(),
          .observed = on.report.Observed(shown),
          .evidence = on.report.Evidence(shown),
          .claims = {{kCleanClaim, on.report.State(), on.report.Summary()}}};
}

}  // namespace reprise::sanitize
