// `reprise-agent run`: everything an agent is made of, wired together. Decides nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/daemon/state_folder.h"
#include "agents/engine/verb.h"

namespace reprise::daemon {

// What runs verbs, as the agent sees it. Both return at once; the answers come from any thread, `on_end` exactly once,
// when every process of the verb is gone.
struct VerbRunner {
  std::function<void(const agents::VerbRequest&, std::function<void(agents::VerbProgress)> on_progress,
                     std::function<void(agents::VerbResult)> on_end)>
      start;
  std::function<void(uint64_t id)> kill;
  std::shared_ptr<void> owner;  // Ends what still runs when it goes.
};

struct AgentOptions {
  std::filesystem::path state;
  std::filesystem::path plugin_host;  // The program that loads plugins.
  bool exercise = false;
};

// The real one: a confined process for each verb (agents/runner).
absl::StatusOr<VerbRunner> MakePluginRunner(const AgentOptions& options, const StateFolder& folder,
                                            const std::string& host);

class Agent {
 public:
  using RunnerMaker =
      std::function<absl::StatusOr<VerbRunner>(const AgentOptions&, const StateFolder&, const std::string& host)>;
  // Takes the folder, ends what a former life left running, restores what it remembered.
  static absl::StatusOr<std::unique_ptr<Agent>> Start(const AgentOptions& options,
                                                      const RunnerMaker& make_runner = MakePluginRunner);
  ~Agent();

  // Until Stop. Verbs that are under way then are killed; the next start looks at what they reached.
  void Run();
  void Stop();  // [any thread]

 private:
  struct Parts;
  explicit Agent(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace reprise::daemon
