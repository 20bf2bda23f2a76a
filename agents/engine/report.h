// What a verb returned, read leniently in form and strictly in meaning: a result that does not say `holds` does not
// hold. Everything is bounded and made valid UTF-8, for a plugin may return anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agents/engine/verb.h"
#include "reprise/agent/v1/agent.pb.h"

namespace reprise::agents {

struct VerbReport {
  bool well_formed = false;  // An object with what the verb must say.
  bool holds = false;        // probe and verify
  std::string summary;
  std::string evidence_json;  // The result without its claims, verdicts and measures.
  std::vector<agent::v1::Claim> claims;
  std::vector<agent::v1::Verdict> verdicts;
  std::vector<agent::v1::Measure> measures;
};

// REQUIRES: result.end == VerbEnd::kDone.
VerbReport ReadReport(model::v1::Verb verb, const VerbResult& result);

}  // namespace reprise::agents
