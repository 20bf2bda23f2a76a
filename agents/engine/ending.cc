#include "agents/engine/ending.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/text.h"

namespace reprise::agents {

void Ending::Take(const VerbReport& report) {
  evidence_json = report.evidence_json;
  claims = report.claims;
  verdicts = report.verdicts;
  measures = report.measures;
}

void Tell(const Ending& ending, const std::string& plugin, agent::v1::Finished& finished) {
  finished.set_outcome(ending.outcome);
  finished.set_code(ending.code);
  finished.set_reason(BoundedText(ending.reason, 4096));
  finished.set_hint(ending.hint);
  finished.set_evidence_json(ending.evidence_json);
  const std::string own = absl::StrCat(plugin, ".");
  for (const auto& claim : ending.claims) {
    if (absl::StartsWith(claim.name(), own)) *finished.add_claims() = claim;
  }
  for (const auto& measure : ending.measures) {
    if (absl::StartsWith(measure.name(), own)) *finished.add_measures() = measure;
  }
  for (const auto& verdict : ending.verdicts) *finished.add_verdicts() = verdict;
}

}  // namespace reprise::agents
