#include "agents/runner/process_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agents/runner/cgroups.h"
#include "agents/runner/sandbox.h"
#include "agents/runner/spawn.h"
#include "agents/runner/supervisor.h"
#include "core/base/status_macros.h"

namespace reprise::runner {
namespace {

// Empty if the program can be started in that sandbox; else what it said.
std::string WhyNot(const std::string& bubblewrap, const std::string& plugin_host, const Sandbox& sandbox) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  Fd said(ends[0]), their_end(ends[1]);
  SpawnRequest request;
  request.arguments = SandboxArguments(sandbox);
  request.arguments.insert(request.arguments.begin(), bubblewrap);
  request.arguments.insert(request.arguments.end(), {plugin_host, "--help"});
  request.out = request.err = their_end.get();
  const absl::StatusOr<pid_t> pid = Spawn(request);
  if (!pid.ok()) return std::string(pid.status().message());
  their_end.Reset();
  std::string text;
  pollfd readable{said.get(), POLLIN, 0};
  char buffer[1024];
  while (poll(&readable, 1, 5000) > 0) {
    const ssize_t count = read(said.get(), buffer, sizeof buffer);
    if (count <= 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  int status = -1;
  kill(-*pid, SIGKILL);  // It has ended, or it hangs.
  waitpid(*pid, &status, 0);
  // Killed after its last word is as good as ended.
  if (text.find("usage: reprise-plugin-host") != std::string::npos) return "";
  return text.empty() ? DescribeExit(status) : text.substr(0, 200);
}

absl::StatusOr<std::filesystem::path> Canonical(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path canonical = std::filesystem::canonical(path, error);
  if (error) return absl::NotFoundError(absl::StrCat(path.string(), ": ", error.message()));
  return canonical;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProcessRunner>> ProcessRunner::Create(const ProcessRunnerOptions& given) {
  ProcessRunnerOptions options = given;
  if (access(options.plugin_host.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("the plugin host ", options.plugin_host.string(),
                                            " is not there: it is installed beside the agent"));
  }
  ASSIGN_OR_RETURN(options.plugin_host, Canonical(options.plugin_host));
  ASSIGN_OR_RETURN(WorkFolder work, WorkFolder::Take(options.work, absl::Seconds(10)));
  VerbCgroups::RemoveOrphans();
  ASSIGN_OR_RETURN(options.work, Canonical(options.work));
  std::error_code error;
  std::filesystem::create_directories(options.cache, error);
  ASSIGN_OR_RETURN(options.cache, Canonical(options.cache));
  for (auto& hidden : options.hidden) {
    ASSIGN_OR_RETURN(hidden, Canonical(hidden));
  }

  Cage cage;
  if (options.bubblewrap) cage.bubblewrap = FindBubblewrap();
  if (!cage.bubblewrap.empty()) {
    Sandbox sandbox;
    sandbox.work_dir = options.work;
    sandbox.hidden = options.hidden;
    sandbox.visible = {options.plugin_host};
    std::string wrong = WhyNot(cage.bubblewrap, options.plugin_host, sandbox);
    if (!wrong.empty()) {
      sandbox.network = true;
      cage.network_namespaces = false;
      const std::string without_network = wrong;
      wrong = WhyNot(cage.bubblewrap, options.plugin_host, sandbox);
      if (wrong.empty()) spdlog::warn("plugins keep the network: {}", without_network);
    }
    if (!wrong.empty()) {
      spdlog::warn("bubblewrap does not work here: {}", wrong);
      cage.bubblewrap.clear();
    }
  }
  if (cage.bubblewrap.empty()) {
    spdlog::warn("plugins run without namespaces of their own: probes are not kept from writing; install bubblewrap");
  }
  return std::make_unique<Supervisor>(std::move(options), std::move(work), std::move(cage));
}

}  // namespace reprise::runner
