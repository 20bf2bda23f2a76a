// The plugin under test: verbs run one by one through the real runner, with everything that it said kept.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "agents/runner/conformance/throwaway_root.h"
#include "agents/runner/process_runner.h"

namespace reprise::conformance {

// The names under which InThrowawayRoot brings them along.
inline constexpr const char* kPluginHostFile = "reprise-plugin-host";
inline constexpr const char* kPluginFile = "plugin.so";
// Before the name of each artifact.
inline constexpr const char* kArtifactPrefix = "artifact:";

struct Ran {
  agents::VerbResult result;
  std::chrono::milliseconds lasted{0};
  nlohmann::json answer;  // Null unless it is done.

  bool done() const { return result.end == agents::VerbEnd::kDone; }
  bool error() const { return result.end == agents::VerbEnd::kError; }
  // "error mock_failed: told to fail", "crashed: …"
  std::string Shown() const;
};

class Subject {
 public:
  // Throws std::runtime_error if the runner cannot be made.
  Subject(const Root& root, const std::string& sha256);

  // VERB_UNSPECIFIED goes out as a verb that no plugin knows.
  Ran Run(model::v1::Verb verb, const std::string& action, const nlohmann::json& params);
  // Asks it to end after `delay` (unless it has ended before).
  Ran RunAndCancel(model::v1::Verb verb, const std::string& action, const nlohmann::json& params,
                   std::chrono::milliseconds delay);
  // SIGKILL after `delay`, to everything of it. True if it was still running.
  bool RunAndKill(model::v1::Verb verb, const std::string& action, const nlohmann::json& params,
                  std::chrono::milliseconds delay);

  // The descriptor, or an empty text and why.
  std::string Describe(std::string& why_not);
  // Everything that it said so far: results, messages, progress, logs.
  std::string heard() const;

 private:
  struct Pending;
  std::shared_ptr<Pending> Start(model::v1::Verb verb, const std::string& action, const nlohmann::json& params);
  Ran Wait(const std::shared_ptr<Pending>& pending);
  void Hear(const std::string& text);
  void MakeRunner();

  runner::ProcessRunnerOptions options_;
  const std::string sha256_;
  std::vector<std::pair<std::string, std::string>> artifacts_;  // Name, SHA-256.
  std::unique_ptr<runner::ProcessRunner> runner_;
  uint64_t next_id_ = 1;
  mutable std::mutex mutex_;
  std::string heard_;  // Guarded by mutex_.
};

}  // namespace reprise::conformance
