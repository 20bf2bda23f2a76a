// The one place where the daemon meets the runner.
#include "agents/daemon/agent.h"
#include "agents/runner/process_runner.h"
#include "core/base/status_macros.h"

namespace reprise::daemon {

absl::StatusOr<VerbRunner> MakePluginRunner(const AgentOptions& options, const StateFolder& folder,
                                            const std::string& host) {
  runner::ProcessRunnerOptions process;
  process.plugin_host = options.plugin_host;
  process.cache = folder.Cache();
  process.work = folder.Work();
  process.host = host;
  process.hidden = {folder.path()};
  ASSIGN_OR_RETURN(std::shared_ptr<runner::Runner> runner, runner::ProcessRunner::Create(process));
  VerbRunner verbs;
  verbs.start = [raw = runner.get()](const agents::VerbRequest& request,
                                     std::function<void(agents::VerbProgress)> on_progress,
                                     std::function<void(agents::VerbResult)> on_end) {
    raw->Start(request, std::move(on_progress), std::move(on_end));
  };
  verbs.kill = [raw = runner.get()](uint64_t id) { raw->Kill(id); };
  verbs.owner = std::move(runner);
  return verbs;
}

}  // namespace reprise::daemon
