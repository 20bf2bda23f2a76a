// One verb of one action, as the agent's engine asks for it and as the runner answers. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "reprise/agent/v1/agent.pb.h"
#include "reprise/model/v1/model.pb.h"

namespace reprise::agents {

struct VerbRequest {
  uint64_t id = 0;              // Given by the asker; unique while the verb runs.
  model::v1::Verb verb = model::v1::VERB_UNSPECIFIED;
  std::string plugin_sha256;    // 32 bytes. The runner loads exactly this content.
  std::string action;
  std::string params_json;
  std::vector<std::pair<std::string, std::string>> artifacts;  // name, sha256 (32 bytes); already in the cache.
  uint32_t attempt = 1;
  // What people signed for. A plugin that says more of its action is not run; unspecified: nobody asked (dry runs).
  model::v1::Effect effect_max = model::v1::EFFECT_UNSPECIFIED;
  bool restores = false;        // From a copy that was proven good: else an action that restores is not run.
  UnixMs deadline = 0;          // Killed then.
};

enum class VerbEnd {
  kDone,       // The plugin returned a result: see result_json.
  kError,      // The plugin returned an error: see code, message, hint.
  kTimedOut,
  kCancelled,
  kCrashed,    // Signal, exit without a result, or limits: message says which.
  kRefused,    // The library's content is not plugin_sha256, or it cannot be loaded.
};

struct VerbResult {
  uint64_t id = 0;
  VerbEnd end = VerbEnd::kCrashed;
  std::string result_json;      // As the plugin gave it; an object.
  std::string code;
  std::string message;
  std::string hint;
  int64_t start_delay_us = 0;   // From request to the plugin's first instruction.
};

struct VerbProgress {
  uint64_t id = 0;
  double fraction = -1;         // Negative: unknown.
  std::string text;
};

}  // namespace reprise::agents
