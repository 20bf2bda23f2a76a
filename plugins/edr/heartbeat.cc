#include "plugins/edr/heartbeat.h"

#include "plugins/edr/install.h"
#include "plugins/edr/profile.h"
#include "plugins/edr/protection.h"

namespace reprise::edr {

using sdk::ClaimState;

sdk::ActionInfo Heartbeat::Describe() const {
  return {.name = "heartbeat",
          .summary = "Is the sensor alive, with a fresh base, and does it find EICAR?",
          .effect = sdk::Effect::kRead,
          .needs = {.root = true, .network = false, .paths = {}},
          .timeout = "2m",
          .memory_mb = 512,
          .params = {ProfileParam(), sdk::Duration("max_age").Default("30d").About("Of the newest part of the base")}};
}

sdk::ProbeResult Heartbeat::Probe(sdk::Context& context) {
  const Profile profile = ProfileOf(context);
  Protection proof = Prove(context, profile, Through::kBytes);
  int64_t age_days = -1;
  if (proof.base.date) {
    const auto age = std::chrono::system_clock::now() - *proof.base.date;
    age_days = std::chrono::duration_cast<std::chrono::days>(age).count();
    if (proof.holds() && age > context.Duration("max_age")) {
      proof.state = ClaimState::kFails;
      proof.detail = "its base is " + std::to_string(age_days) + " days old, expected at most " + context.Param("max_age") +
                     "; " + proof.detail;
    }
  } else if (proof.holds() && !profile.signatures_folder.empty()) {
    proof.state = ClaimState::kUnknown;
    proof.detail = "it finds EICAR, but " + profile.signatures_folder + " has no base whose age could be told";
  }
  return {.holds = proof.holds(),
          .summary = proof.detail,
          .observed = {{"version", proof.version}, {"signatures", proof.base.signatures}, {"base_age_days", age_days}},
          .evidence = std::move(proof.evidence),
          .claims = {proof.AsClaim()}};
}

}  // namespace reprise::edr
