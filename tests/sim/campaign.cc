#include "tests/sim/campaign.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace reprise::sim {
namespace {

constexpr uint64_t kTwiceEvery = 50;
constexpr double kMsPerHour = 3'600'000;

}  // namespace

void Campaign::RunNext(bool verbose) {
  const uint64_t seed = first_seed + seeds;
  const Outcome outcome = Simulate(seed, {}, verbose);
  seeds += 1;
  steps += outcome.steps;
  events += outcome.events;
  outcomes += outcome.outcomes;
  effects += outcome.effects;
  simulated_ms += outcome.simulated_ms;
  if (outcome.settled_ms > settled_ms_max) {
    settled_ms_max = outcome.settled_ms;
    slowest_seed = seed;
  }
  for (const auto& [kind, count] : outcome.faults) faults[kind] += count;
  for (const auto& [state, count] : outcome.runs) runs[state] += count;
  if (!outcome.complaint.empty()) return failed.emplace_back(seed, outcome.complaint), void();
  if (seed % kTwiceEvery != 0) return;
  checked_twice += 1;
  if (Simulate(seed).trace_hash != outcome.trace_hash) failed.emplace_back(seed, "the same seed did not do the same");
}

std::string Campaign::Json(double seconds) const {
  nlohmann::json all;
  all["first_seed"] = first_seed;
  all["seeds"] = seeds;
  all["checked_twice"] = checked_twice;
  all["failed"] = nlohmann::json::array();
  for (const auto& [seed, complaint] : failed) all["failed"].push_back({{"seed", seed}, {"complaint", complaint}});
  all["seconds"] = seconds;
  all["simulated_hours"] = static_cast<double>(simulated_ms) / kMsPerHour;
  all["settled_hours_max"] = static_cast<double>(settled_ms_max) / kMsPerHour;
  all["slowest_seed"] = slowest_seed;
  all["steps"] = steps;
  all["journal_events"] = events;
  all["outcomes"] = outcomes;
  all["effects"] = effects;
  all["faults"] = faults;
  all["runs_by_end"] = runs;
  return all.dump(2) + "\n";
}

std::string Campaign::Text() const {
  std::string text = absl::StrCat(failed.size(), " of ", seeds, " failed; ", checked_twice, " run twice; ",
                                  simulated_ms / 3'600'000, " simulated hours, ", steps, " steps, ", events,
                                  " journal events, ", outcomes, " outcomes, ", effects, " effects\nfaults:");
  for (const auto& [kind, count] : faults) absl::StrAppend(&text, " ", kind, " ", count, ";");
  absl::StrAppend(&text, "\nruns ended:");
  for (const auto& [state, count] : runs) absl::StrAppend(&text, " ", state, " ", count, ";");
  return absl::StrCat(text, "\nlongest way from the last fault to the end: ", settled_ms_max / 1000, " s (seed ",
                      slowest_seed, ")\n");
}

}  // namespace reprise::sim
