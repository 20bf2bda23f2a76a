// bench-fleet enrol | drive | serve: see `run` beside this file for how they are put together. `drive` and `serve` take
// orders on standard input, one JSON object a line, answer each with one, and end with their input.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/synchronization/mutex.h"
#include "core/base/files.h"
#include "tests/bench/bare_server.h"
#include "tests/bench/fleet.h"

namespace {

using namespace reprise::bench;
using nlohmann::json;

int Fail(const absl::Status& status) {
  std::cerr << "bench-fleet: " << status.message() << '\n';
  return 1;
}

void Say(const json& line) {
  std::cout << line.dump() << '\n' << std::flush;
}

void RaiseLimits() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

// Says how many are connected, then for each {"round_trips":N}: {"ready":true}, and a report when they are done.
int RunDrive(const FleetOptions& options, const IdentityFolder& identities) {
  auto fleet = Fleet::Connect(identities, options);
  if (!fleet.ok()) return Fail(fleet.status());
  Say({{"connected", (*fleet)->connected()},
       {"connect_s", (*fleet)->connect_seconds()},
       {"first_fault", (*fleet)->first_fault()}});
  for (std::string line; std::getline(std::cin, line);) {
    const json order = json::parse(line);
    (*fleet)->BeginWork();
    Say({{"ready", true}});
    const WorkReport report = (*fleet)->AwaitWork(order.at("round_trips"));
    Say({{"connected", (*fleet)->connected()},
         {"round_trips", report.round_trips},
         {"seconds", report.seconds},
         {"p50_ms", report.p50_ms},
         {"p99_ms", report.p99_ms},
         {"task_bytes", report.task_bytes},
         {"first_task_bytes", report.first_task_bytes},
         {"messages_in", report.messages_in}});
  }
  return 0;
}

// Says its port, then for each order (BareOrder's fields): whether it has begun.
int RunServe(const std::filesystem::path& data, BareServerOptions options) {
  const auto ca = reprise::ReadFile(data / "ca.crt");
  const auto certificate = reprise::ReadFile(data / "server.crt");
  const auto key = reprise::ReadFile(data / "server.key");
  if (!ca.ok() || !certificate.ok() || !key.ok()) {
    return Fail(absl::NotFoundError("--data: no ca.crt, server.crt or server.key"));
  }
  options.ca = *ca;
  options.certificate = *certificate;
  options.key = *key;
  const auto server = BareServer::Start(options);
  if (!server.ok()) return Fail(server.status());
  Say({{"port", (*server)->port()}});
  for (std::string line; std::getline(std::cin, line);) {
    const json said = json::parse(line);
    BareOrder order;
    order.hosts = said.at("hosts");
    order.tasks_per_host = said.at("tasks_per_host");
    order.in_flight = said.at("in_flight");
    order.task_bytes = said.at("task_bytes");
    order.first_task_bytes = said.at("first_task_bytes");
    order.durable = said.at("durable");
    order.journal_bytes = said.at("journal_bytes");
    if (const absl::Status begun = (*server)->Begin(order); !begun.ok()) return Fail(begun);
    Say({{"begun", true}});
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Load for measuring the coordinator");
  app.require_subcommand(1);
  IdentityFolder identities;
  EnrolOptions enrolment;
  FleetOptions fleet;
  BareServerOptions bare;
  std::string data;

  CLI::App* enrol = app.add_subcommand("enrol", "makes a site know hosts, while its coordinator does not run");
  enrol->add_option("--data", enrolment.coordinator, "the coordinator's folder")->required();
  enrol->add_option("--operator", enrolment.operator_name, "an admin of its keyring")->required();
  enrol->add_option("--key", enrolment.secret_key, "the admin's secret key, in clear")->required();
  enrol->add_option("--hosts", enrolment.hosts)->required();
  enrol->add_option("--identities", identities.path, "folder for the hosts' certificates")->required();

  CLI::App* drive = app.add_subcommand("drive", "connects simulated agents and answers tasks");
  drive->add_option("--address", fleet.address, "HOST:PORT of the agents' port")->required();
  drive->add_option("--identities", identities.path, "folder that `enrol` made")->required();
  drive->add_option("--hosts", fleet.hosts, "agents to simulate")->required();
  drive->add_option("--timeout", fleet.timeout_s, "seconds without any progress after which to give up");

  CLI::App* serve = app.add_subcommand("serve", "the bare server: same messages, no engine");
  serve->add_option("--data", data, "coordinator's folder, for its certificates")->required();
  serve->add_option("--journal", bare.journal, "a new SQLite file, for orders that are durable");

  CLI11_PARSE(app, argc, argv);
  RaiseLimits();
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // As in the coordinator.
  if (*enrol) {
    const absl::Status enrolled = EnrolHosts(enrolment, identities);
    return enrolled.ok() ? 0 : Fail(enrolled);
  }
  return *drive ? RunDrive(fleet, identities) : RunServe(data, bare);
}
