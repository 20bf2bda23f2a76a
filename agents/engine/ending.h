// How an attempt ended, and how that is told to the coordinator: bounded, and in the plugin's own name only.
#pragma once

#include <string>
#include <vector>

#include "agents/engine/report.h"
#include "reprise/agent/v1/agent.pb.h"

namespace reprise::agents {

struct Ending {
  model::v1::Outcome outcome = model::v1::OUTCOME_UNSPECIFIED;
  std::string code;
  std::string reason;
  std::string hint;
  // What the last verb that looked said.
  std::string evidence_json;
  std::vector<agent::v1::Claim> claims;
  std::vector<agent::v1::Verdict> verdicts;
  std::vector<agent::v1::Measure> measures;

  void Take(const VerbReport& report);
};

// Everything but the key and the times. A plugin speaks for itself only: "edr.protected" is edr's to say.
void Tell(const Ending& ending, const std::string& plugin, agent::v1::Finished& finished);

}  // namespace reprise::agents
