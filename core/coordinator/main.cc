// reprise-coordinator: holds the plan and all state of a site. See README.md in this folder.
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/synchronization/mutex.h"
#include "core/base/files.h"
#include "core/coordinator/coordinator.h"

namespace {

using reprise::coordinator::Coordinator;

int Fail(const absl::Status& status) {
  std::cerr << "reprise-coordinator: " << std::string(status.message()) << '\n';
  return status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}

// Each agent is a descriptor.
void RaiseLimits() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int Run(const reprise::coordinator::CoordinatorOptions& options, const std::string& port_file) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("coordinator"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  RaiseLimits();
  // Debian builds Abseil with its search for deadlocks on; gRPC would pay for it at every lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Before any thread is made, so that all inherit it and only sigwait sees them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);

  const reprise::SystemClock clock;
  reprise::SystemRandom random;
  auto coordinator = Coordinator::Start(options, clock, random);
  if (!coordinator.ok()) return Fail(coordinator.status());
  spdlog::info("agents and operators on port {}, web on {}, join on {}", (*coordinator)->port(),
               (*coordinator)->web_port(), (*coordinator)->join_port());
  if (!port_file.empty()) {
    const nlohmann::json ports = {{"port", (*coordinator)->port()},
                                  {"web_port", (*coordinator)->web_port()},
                                  {"join_port", (*coordinator)->join_port()}};
    if (absl::Status written = reprise::WriteFileDurably(port_file, ports.dump() + "\n"); !written.ok()) {
      return Fail(written);
    }
  }
  int signal_number = 0;
  sigwait(&ends, &signal_number);
  spdlog::info("stopping");
  coordinator->reset();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The coordinator of Reprise: holds the plan, the journal and the keys of a site's agents."};
  app.footer(
      "Example:\n"
      "  reprise init --data /var/lib/reprise --site hr1 --operator alice --name 10.77.0.1\n"
      "  reprise-coordinator --data /var/lib/reprise");
  reprise::coordinator::CoordinatorOptions options;
  std::string port_file;
  bool version = false;
  auto* data = app.add_option("--data", options.data, "The data folder, made by `reprise init`");
  app.add_option("--listen", options.listen, "ADDRESS:PORT for agents and operators, instead of the configured one");
  app.add_option("--web-listen", options.web_listen, "ADDRESS:PORT for metrics and health, likewise");
  app.add_option("--join-listen", options.join_listen, "ADDRESS:PORT where new hosts join, likewise");
  app.add_option("--port-file", port_file, "Write the ports that were taken to this file, as JSON");
  auto* flag = app.add_flag("--version", version, "Print the version");
  data->excludes(flag);
  CLI11_PARSE(app, argc, argv);
  if (version) {
    std::cout << "reprise-coordinator " << REPRISE_VERSION << '\n';
    return 0;
  }
  if (options.data.empty()) {
    std::cerr << "reprise-coordinator: --data is needed; `reprise-coordinator --help` shows an example\n";
    return 2;
  }
  return Run(options, port_file);
}
