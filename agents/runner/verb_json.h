// A verb as the plugin reads it, and what was heard from the plugin as the agent reads it. Pure.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "agents/engine/verb.h"
#include "agents/runner/plugin_process.h"

namespace reprise::runner {

// What the runner must know of an action before it runs it, from the plugin's descriptor.
struct ActionTraits {
  bool reads_only = false;
  model::v1::Effect effect = model::v1::EFFECT_DESTROY;  // The gravest, unless it says otherwise.
  bool restores = false;
  bool network = false;
  bool processes = false;  // Sees those of the host.
  int memory_mb = 512;
};
// By action. INVALID_ARGUMENT if the descriptor is none.
absl::StatusOr<std::map<std::string, ActionTraits>> ReadTraits(const std::string& descriptor);

struct VerbSurroundings {
  std::string host;
  std::string work_dir;
  std::map<std::string, std::string> artifacts;  // name -> path
};
// One line. INVALID_ARGUMENT if params_json is no bounded JSON object.
absl::StatusOr<std::string> RequestLine(const agents::VerbRequest& request, const VerbSurroundings& surroundings);

bool Writes(model::v1::Verb verb);
std::string_view NameOf(model::v1::Verb verb);

// For people and logs: no control characters, at most `max` bytes, never half a character.
std::string Plain(std::string_view text, size_t max);

// REQUIRES: the process is gone, and was not asked to end. start_delay_us is left to the caller.
agents::VerbResult ReadTranscript(uint64_t id, const Transcript& transcript);

}  // namespace reprise::runner
