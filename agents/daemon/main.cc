// reprise-agent: one per host. See README.md in this folder.
#include <malloc.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <thread>

#include "agents/daemon/agent.h"
#include "agents/daemon/agent_status.h"
#include "agents/daemon/join.h"
#include "core/base/files.h"

namespace {

using reprise::daemon::Agent;

int stop_event = -1;

void AskToStop(int) {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = write(stop_event, &one, sizeof one);
}

// Handlers, not masks or SIG_IGN: these would be inherited by the actions' processes.
void HandleSignals() {
  stop_event = eventfd(0, EFD_CLOEXEC);
  struct sigaction action {};
  action.sa_handler = AskToStop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  action.sa_handler = [](int) {};
  sigaction(SIGPIPE, &action, nullptr);
}

void WaitForStop() {
  uint64_t count = 0;
  while (read(stop_event, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

int Fail(const absl::Status& status) {
  std::cerr << "reprise-agent: " << std::string(status.message()) << '\n';
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 2;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return 4;
    case absl::StatusCode::kUnavailable:
      return 5;
    default:
      return 1;
  }
}

int Join(reprise::daemon::JoinOptions options, const std::string& code_file) {
  if (!code_file.empty()) {
    auto text = reprise::ReadFile(code_file);
    if (!text.ok()) return Fail(text.status());
    options.code = text->substr(0, text->find_first_of("\r\n \t"));
  }
  const auto host = reprise::daemon::RunJoin(options, reprise::daemon::Join);
  if (!host.ok()) return Fail(host.status());
  std::cout << "host " << *host << " is enrolled; it is in quarantine until an operator admits it.\n"
            << "next: reprise-agent run --state " << options.state.string() << '\n';
  return 0;
}

int Run(const reprise::daemon::AgentOptions& options) {
  // Few threads allocate, and rarely: more arenas would only keep memory.
  mallopt(M_ARENA_MAX, 2);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("agent"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  HandleSignals();
  auto agent = Agent::Start(options);
  if (!agent.ok()) return Fail(agent.status());
  std::thread loop([&] { (*agent)->Run(); });
  WaitForStop();
  spdlog::info("stopping");
  (*agent)->Stop();
  loop.join();
  return 0;
}

int Status(const std::filesystem::path& state) {
  const auto text = reprise::daemon::DescribeState(reprise::daemon::StateFolder(state), reprise::SystemClock().Now());
  if (!text.ok()) return Fail(text.status());
  std::cout << *text;
  return 0;
}

std::filesystem::path BesideThisProgram(const char* name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path(name) : self.parent_path() / name;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The agent of Reprise: verifies, carries out and reports what people have signed for this host."};
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  reprise-agent join --coordinator 10.77.0.1:7445 --code-file code.txt --state /var/lib/reprise-agent\n"
      "  reprise-agent run --state /var/lib/reprise-agent\n"
      "  reprise-agent status --state /var/lib/reprise-agent");

  constexpr char kStateDefault[] = "/var/lib/reprise-agent";
  reprise::daemon::JoinOptions join;
  join.state = kStateDefault;
  std::string code_file;
  CLI::App* join_command = app.add_subcommand("join", "Enrol this host with a one-time join code");
  join_command->add_option("--coordinator", join.join_address, "HOST:PORT of the coordinator's join port")->required();
  auto* code = join_command->add_option("--code", join.code, "The join code, as `reprise host token` prints it");
  auto* file = join_command->add_option("--code-file", code_file, "A file whose first line is the join code");
  code->excludes(file);
  join_command->add_option("--connect", join.connect_address,
                           "HOST:PORT of the agents' port, where it is not what the coordinator says");
  join_command->add_option("--state", join.state, "The agent's folder; kept when it was enrolled before")->capture_default_str();

  reprise::daemon::AgentOptions run;
  run.state = kStateDefault;
  run.plugin_host = BesideThisProgram("reprise-plugin-host");
  CLI::App* run_command = app.add_subcommand("run", "Work for the coordinator until told to stop (SIGTERM)");
  run_command->add_option("--state", run.state, "The agent's folder, made by `join`")->capture_default_str();
  run_command->add_option("--plugin-host", run.plugin_host,
                          "The program that loads plugins; beside this one by default");
  run_command->add_flag("--exercise", run.exercise, "Take part in rehearsals, and in nothing else");

  std::filesystem::path state = kStateDefault;
  CLI::App* status_command = app.add_subcommand("status", "Say what the agent's folder holds");
  status_command->add_option("--state", state, "The agent's folder")->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code_of_cli = app.exit(error);
    return code_of_cli == 0 ? 0 : 2;
  }
  if (*join_command) {
    if (join.code.empty() && code_file.empty()) {
      std::cerr << "reprise-agent: join needs --code or --code-file\n";
      return 2;
    }
    return Join(join, code_file);
  }
  if (*status_command) return Status(state);
  return Run(run);
}
