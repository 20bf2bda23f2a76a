// bench-fleet join | drive | serve: see `run` beside this file for how they are put together.
#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "tests/bench/bare_server.h"
#include "tests/bench/fleet.h"

namespace {

using reprise::bench::BareServer;
using reprise::bench::BareServerOptions;
using reprise::bench::Fleet;
using reprise::bench::FleetReport;
using reprise::bench::IdentityFolder;

int Fail(const absl::Status& status) {
  std::cerr << "bench-fleet: " << status.message() << '\n';
  return 1;
}

int RunJoin(const std::string& address, const IdentityFolder& identities) {
  std::vector<std::string> codes;
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty()) codes.push_back(line);
  }
  std::filesystem::create_directories(identities.path);
  const absl::Status joined = identities.Join(address, codes);
  return joined.ok() ? 0 : Fail(joined);
}

// Says on a line of its own when all are connected, so that the driver knows when to start the run.
int RunDrive(const std::string& address, const IdentityFolder& identities, uint32_t hosts, uint64_t round_trips,
             int timeout_s) {
  auto fleet = Fleet::Connect(address, identities, hosts, timeout_s);
  if (!fleet.ok()) return Fail(fleet.status());
  std::cout << R"({"connected":true})" << "\n" << std::flush;
  const FleetReport report = (*fleet)->Work(round_trips, timeout_s);
  std::cout << nlohmann::json{{"hosts", report.connected},
                              {"connect_s", report.connect_seconds},
                              {"round_trips", report.round_trips},
                              {"work_s", report.work_seconds},
                              {"task_bytes", report.task_bytes},
                              {"first_task_bytes", report.first_task_bytes}}
                   .dump()
            << '\n';
  return report.connected == hosts && report.round_trips >= round_trips ? 0 : 1;
}

int RunServe(const std::string& data, BareServerOptions options) {
  const auto ca = reprise::ReadFile(std::filesystem::path(data) / "ca.crt");
  const auto certificate = reprise::ReadFile(std::filesystem::path(data) / "server.crt");
  const auto key = reprise::ReadFile(std::filesystem::path(data) / "server.key");
  if (!ca.ok() || !certificate.ok() || !key.ok()) return Fail(absl::NotFoundError("--data: no ca.crt, server.crt or server.key"));
  options.ca = *ca;
  options.certificate = *certificate;
  options.key = *key;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto server = BareServer::Start(options);
  if (!server.ok()) return Fail(server.status());
  std::cout << nlohmann::json{{"port", (*server)->port()}}.dump() << "\n" << std::flush;
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Load for measuring the coordinator");
  app.require_subcommand(1);
  IdentityFolder identities;
  std::string address, data;
  uint32_t hosts = 1000;
  uint64_t round_trips = 0;
  int timeout_s = 60;
  BareServerOptions bare;

  CLI::App* join = app.add_subcommand("join", "enrols hosts; join codes on standard input, one a line");
  join->add_option("--address", address, "HOST:PORT of the join port")->required();
  join->add_option("--identities", identities.path, "folder for the hosts' certificates")->required();

  CLI::App* drive = app.add_subcommand("drive", "connects simulated agents and answers tasks");
  drive->add_option("--address", address, "HOST:PORT of the agents' port")->required();
  drive->add_option("--identities", identities.path, "folder that `join` made")->required();
  drive->add_option("--hosts", hosts, "agents to simulate");
  drive->add_option("--round-trips", round_trips, "end after so many acknowledged outcomes")->required();
  drive->add_option("--timeout", timeout_s, "seconds without any progress after which to give up");

  CLI::App* serve = app.add_subcommand("serve", "the bare server: same messages, no engine, no journal");
  serve->add_option("--data", data, "coordinator's folder, for its certificates")->required();
  serve->add_option("--hosts", bare.hosts, "tasks begin when so many agents are there")->required();
  serve->add_option("--tasks-per-host", bare.tasks_per_host)->required();
  serve->add_option("--task-bytes", bare.task_bytes)->required();
  serve->add_option("--first-task-bytes", bare.first_task_bytes)->required();

  CLI11_PARSE(app, argc, argv);
  if (*join) return RunJoin(address, identities);
  if (*drive) return RunDrive(address, identities, hosts, round_trips, timeout_s);
  return RunServe(data, bare);
}
