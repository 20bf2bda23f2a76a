#include "tests/bench/fleet.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/daemon/facts.h"
#include "core/base/status_macros.h"
#include "tests/bench/simulated_agent.h"

namespace reprise::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kTick = std::chrono::milliseconds(50);
constexpr auto kHeartbeat = std::chrono::seconds(15);  // What the coordinator asks for in its welcome.

double Seconds(int64_t from, int64_t to) {
  return std::chrono::duration<double>(Clock::duration(to - from)).count();
}

// As agents/daemon does, but for the backoff: who fails here is counted and does not come back.
std::shared_ptr<grpc::Channel> MakeChannel(const FleetOptions& fleet, const Identity& identity) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = identity.ca;
  options.pem_cert_chain = identity.certificate;
  options.pem_private_key = identity.key;
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("reprise-coordinator");
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 60'000);
  return grpc::CreateCustomChannel(fleet.address, grpc::SslCredentials(options), arguments);
}

}  // namespace

struct Fleet::Impl {
  Counters counters;
  std::vector<std::unique_ptr<SimulatedAgent>> agents;
  std::jthread heart;
  SteadyTime began;
  int timeout_s = 0;

  // Polls: what is measured must not pay for being watched.
  template <class Done>
  bool Wait(const Done& done) {
    uint64_t seen = 0;
    auto changed = Clock::now();
    while (!done()) {
      const uint64_t now = counters.acknowledged + counters.welcomed + counters.refused + counters.lost;
      if (now != seen) {
        seen = now;
        changed = Clock::now();
      }
      if (Clock::now() - changed > std::chrono::seconds(timeout_s)) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

  // Each agent once in kHeartbeat, spread evenly.
  void Beat(const std::stop_token& stop) {
    const size_t ticks = kHeartbeat / kTick;
    for (size_t tick = 0; !stop.stop_requested(); tick = (tick + 1) % ticks) {
      std::this_thread::sleep_for(kTick);
      for (size_t i = tick; i < agents.size(); i += ticks) agents[i]->Beat();
    }
  }
};

Fleet::Fleet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Fleet::~Fleet() {
  impl_->heart = {};
  for (const auto& agent : impl_->agents) agent->End();
  std::unique_lock lock(impl_->counters.mutex);
  impl_->counters.done.wait(lock, [this] { return impl_->counters.streams == 0; });
}

absl::StatusOr<std::unique_ptr<Fleet>> Fleet::Connect(const IdentityFolder& identities, const FleetOptions& options) {
  std::vector<std::string> names = identities.Hosts();
  if (names.size() < options.hosts) {
    return absl::NotFoundError(absl::StrCat(identities.path.string(), ": ", names.size(), " identities; ",
                                            options.hosts, " wanted. Make them with `bench-fleet enrol`"));
  }
  names.resize(options.hosts);
  std::vector<Identity> known;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(known.emplace_back(), identities.Read(name));
  }
  auto impl = std::make_unique<Impl>();
  impl->timeout_s = options.timeout_s;
  impl->counters.facts_json = daemon::GatherFacts();
  impl->began = Clock::now();
  Counters& counters = impl->counters;
  for (const Identity& identity : known) {
    impl->Wait([&] { return impl->agents.size() < counters.welcomed + counters.refused + options.connecting_max; });
    impl->agents.push_back(std::make_unique<SimulatedAgent>(MakeChannel(options, identity), counters));
    impl->agents.back()->Start();
  }
  impl->Wait([&] { return counters.welcomed + counters.refused >= options.hosts; });
  impl->heart = std::jthread([plain = impl.get()](const std::stop_token& stop) { plain->Beat(stop); });
  return std::unique_ptr<Fleet>(new Fleet(std::move(impl)));
}

uint32_t Fleet::connected() const {
  return impl_->counters.welcomed - impl_->counters.lost;
}

std::string Fleet::first_fault() const {
  std::lock_guard lock(impl_->counters.mutex);
  return impl_->counters.first_fault;
}

double Fleet::connect_seconds() const {
  return Seconds(impl_->began.time_since_epoch().count(), impl_->counters.last_welcome);
}

void Fleet::BeginWork() {
  Counters& counters = impl_->counters;
  counters.acknowledged = 0;
  counters.messages_in = 0;
  counters.first_task = 0;
  counters.last_acknowledged = 0;
  counters.latencies.Clear();
}

WorkReport Fleet::AwaitWork(uint64_t round_trips) {
  Counters& counters = impl_->counters;
  impl_->Wait([&] { return counters.acknowledged >= round_trips; });
  WorkReport report;
  report.round_trips = counters.acknowledged;
  if (counters.first_task != 0) report.seconds = Seconds(counters.first_task, counters.last_acknowledged);
  report.p50_ms = counters.latencies.PartileMs(0.50);
  report.p99_ms = counters.latencies.PartileMs(0.99);
  report.task_bytes = counters.task_bytes;
  report.first_task_bytes = counters.first_task_bytes;
  report.messages_in = counters.messages_in;
  return report;
}

}  // namespace reprise::bench
