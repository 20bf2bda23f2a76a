// The thread behind ProcessRunner: spawns, polls, and ends the processes of all verbs. Callers post commands to it.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agents/runner/plugin_process.h"
#include "agents/runner/process_runner.h"
#include "agents/runner/sealed_plugins.h"
#include "agents/runner/verb_json.h"
#include "agents/runner/work_folder.h"

namespace reprise::runner {

// How this host can confine.
struct Cage {
  std::string bubblewrap;  // Empty: not at all.
  bool network_namespaces = true;
};

class Supervisor final : public ProcessRunner {
 public:
  Supervisor(ProcessRunnerOptions options, WorkFolder work, Cage cage);
  ~Supervisor() override;

  void Start(const agents::VerbRequest& request, OnProgress on_progress, OnEnd on_end) override;
  void Kill(uint64_t id) override;
  void Describe(const std::string& plugin_sha256, OnDescribed on_described) override;
  Confinement HowConfined() const override {
    return cage_.bubblewrap.empty() ? Confinement::kProcess : Confinement::kNamespaces;
  }

 private:
  // Why a verb was asked to end.
  enum class Asked { kNo, kDeadline, kKill };

  struct Verb {
    agents::VerbRequest request;
    OnProgress on_progress;
    OnEnd on_end;
    Steady::time_point requested;
    Steady::time_point deadline;
    Asked asked = Asked::kNo;
    std::filesystem::path work_dir;
    std::unique_ptr<PluginProcess> process;  // Null while its plugin is being described.
  };
  struct Description {
    std::string text;
    std::map<std::string, ActionTraits> actions;
  };
  // A plugin that is being described, and who waits for it.
  struct Describing {
    std::filesystem::path work_dir;
    std::unique_ptr<PluginProcess> process;
    Steady::time_point deadline;
    std::vector<OnDescribed> waiting;
  };

  void Post(std::function<void()> command);
  void Run();
  void Wait();
  void Turn();

  void StartVerb(Verb verb);
  void StartDescribing(const std::string& sha256);
  void FinishDescribing(const std::string& sha256);
  void Described(const std::string& sha256, const absl::StatusOr<Description>& description);
  void LaunchVerb(Verb& verb, const Description& description);
  absl::StatusOr<std::unique_ptr<PluginProcess>> Launch(const std::string& sha256, bool writes, const ActionTraits& traits,
                                                        const std::filesystem::path& work_dir,
                                                        const std::map<std::string, std::string>& artifacts,
                                                        std::string request, PluginProcess::Listener listener);
  absl::StatusOr<std::map<std::string, std::string>> Artifacts(const agents::VerbRequest& request) const;
  void End(Verb& verb, agents::VerbEnd end, std::string code, std::string message);
  void Finish(Verb& verb);

  const ProcessRunnerOptions options_;
  const Cage cage_;
  WorkFolder work_;
  Fd wake_;

  std::mutex mutex_;
  std::vector<std::function<void()>> commands_;  // Guarded by mutex_.

  // The supervisor thread's own.
  SealedPlugins plugins_;
  std::map<std::string, Description> described_;
  std::map<std::string, Describing> describing_;
  std::map<uint64_t, Verb> verbs_;
  uint64_t next_folder_ = 1;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace reprise::runner
