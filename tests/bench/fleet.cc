#include "tests/bench/fleet.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/daemon/host_certificate.h"
#include "agents/daemon/join.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "reprise/agent/v1/agent_service.grpc.pb.h"

namespace reprise::bench {
namespace {

using agent::v1::AgentBatch;
using agent::v1::CoordinatorBatch;
using Clock = std::chrono::steady_clock;

int64_t Now() { return Clock::now().time_since_epoch().count(); }

double Seconds(int64_t from, int64_t to) {
  return std::chrono::duration<double>(Clock::duration(to - from)).count();
}

// What all agents count together.
struct Counters {
  std::atomic<uint32_t> welcomed{0};
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<uint64_t> task_bytes{0};
  std::atomic<uint64_t> first_task_bytes{0};
  std::atomic<int64_t> last_welcome{0};
  std::atomic<int64_t> first_task{0};
  std::atomic<int64_t> last_acknowledged{0};
  std::atomic<uint32_t> streams{0};
  std::mutex mutex;
  std::condition_variable ended;
};

class SimulatedAgent final : public grpc::ClientBidiReactor<AgentBatch, CoordinatorBatch> {
 public:
  SimulatedAgent(std::shared_ptr<grpc::Channel> channel, Counters& counters)
      : channel_(std::move(channel)), stub_(agent::v1::AgentService::NewStub(channel_)), counters_(counters) {}

  void Start() {
    counters_.streams += 1;
    stub_->async()->Connect(&context_, this);
    auto& hello = *writing_.add_messages()->mutable_hello();
    hello.set_agent_version("bench");
    hello.set_keyring_version(1);
    hello.set_host_statement_serial(1);
    busy_ = true;
    StartWrite(&writing_);
    StartRead(&reading_);
    StartCall();
  }

  void End() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    for (const auto& message : reading_.messages()) Take(message);
    Flush();
    StartRead(&reading_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return;
    std::lock_guard lock(mutex_);
    busy_ = false;
    FlushLocked();
  }

  void OnDone(const grpc::Status&) override {
    std::lock_guard lock(counters_.mutex);
    counters_.streams -= 1;
    counters_.ended.notify_all();
  }

 private:
  void Take(const agent::v1::CoordinatorMessage& message) {
    switch (message.kind_case()) {
      case agent::v1::CoordinatorMessage::kWelcome:
        counters_.last_welcome = Now();
        counters_.welcomed += 1;
        break;
      case agent::v1::CoordinatorMessage::kTask:
        Carry(message.task());
        break;
      case agent::v1::CoordinatorMessage::kAcknowledged:
        counters_.last_acknowledged = Now();
        counters_.acknowledged += 1;
        break;
      case agent::v1::CoordinatorMessage::kStop: {
        std::lock_guard lock(mutex_);
        waiting_.add_messages()->mutable_stop_confirmed()->set_serial(message.stop().serial());
        break;
      }
      default:
        break;
    }
  }

  void Carry(const agent::v1::Task& task) {
    int64_t none = 0;
    counters_.first_task.compare_exchange_strong(none, Now());
    (task.has_authority() ? counters_.first_task_bytes : counters_.task_bytes) = task.ByteSizeLong();
    std::lock_guard lock(mutex_);
    *waiting_.add_messages()->mutable_accepted()->mutable_key() = task.key();
    auto& finished = *waiting_.add_messages()->mutable_finished();
    *finished.mutable_key() = task.key();
    finished.set_outcome(model::v1::OUTCOME_CHANGED);
    finished.set_evidence_json(R"({"holds":true,"summary":"measured"})");
    finished.set_duration_ms(1);
  }

  void Flush() {
    std::lock_guard lock(mutex_);
    FlushLocked();
  }

  void FlushLocked() {
    if (busy_ || waiting_.messages().empty()) return;
    writing_.Clear();
    writing_.Swap(&waiting_);
    busy_ = true;
    StartWrite(&writing_);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<agent::v1::AgentService::Stub> stub_;
  Counters& counters_;
  grpc::ClientContext context_;
  CoordinatorBatch reading_;
  AgentBatch writing_;

  std::mutex mutex_;
  AgentBatch waiting_;
  bool busy_ = false;
};

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& address, const IdentityFolder& identities,
                                                           const std::string& host) {
  grpc::SslCredentialsOptions options;
  ASSIGN_OR_RETURN(options.pem_root_certs, ReadFile(identities.path / "ca.crt"));
  ASSIGN_OR_RETURN(options.pem_cert_chain, ReadFile(identities.path / (host + ".crt")));
  ASSIGN_OR_RETURN(options.pem_private_key, ReadFile(identities.path / (host + ".key")));
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("reprise-coordinator");
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 60'000);
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments);
}

}  // namespace

absl::Status IdentityFolder::Join(const std::string& join_address, const std::vector<std::string>& codes) const {
  for (const std::string& text : codes) {
    ASSIGN_OR_RETURN(const daemon::JoinCode code, daemon::ReadJoinCode(text));
    ASSIGN_OR_RETURN(const std::string key, daemon::NewHostKey());
    daemon::JoinRequest request;
    request.address = join_address;
    request.ca_fingerprint = code.ca_fingerprint;
    request.host = code.host;
    request.secret = code.secret;
    ASSIGN_OR_RETURN(request.csr, daemon::MakeHostRequest(key, code.host));
    ASSIGN_OR_RETURN(const daemon::JoinReply reply, daemon::Join(request));
    RETURN_IF_ERROR(WriteFileDurably(path / (code.host + ".key"), key, 0600));
    RETURN_IF_ERROR(WriteFileDurably(path / (code.host + ".crt"), reply.certificate, 0644));
    RETURN_IF_ERROR(WriteFileDurably(path / "ca.crt", reply.ca, 0644));
  }
  return absl::OkStatus();
}

std::vector<std::string> IdentityFolder::Hosts() const {
  std::vector<std::string> hosts;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".key") hosts.push_back(entry.path().stem().string());
  }
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

struct Fleet::Impl {
  Counters counters;
  std::vector<std::unique_ptr<SimulatedAgent>> agents;
  int64_t began = 0;

  // Polls: what is measured must not pay for being watched.
  template <class Done>
  bool Wait(int timeout_s, const Done& done) {
    uint64_t seen = 0;
    auto changed = Clock::now();
    while (!done()) {
      const uint64_t now = counters.acknowledged + counters.welcomed;
      if (now != seen) {
        seen = now;
        changed = Clock::now();
      }
      if (Clock::now() - changed > std::chrono::seconds(timeout_s)) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
};

Fleet::Fleet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Fleet::~Fleet() {
  for (const auto& agent : impl_->agents) agent->End();
  std::unique_lock lock(impl_->counters.mutex);
  impl_->counters.ended.wait(lock, [this] { return impl_->counters.streams == 0; });
}

absl::StatusOr<std::unique_ptr<Fleet>> Fleet::Connect(const std::string& address, const IdentityFolder& identities,
                                                      uint32_t hosts, int timeout_s) {
  std::vector<std::string> names = identities.Hosts();
  if (names.size() < hosts) {
    return absl::NotFoundError(absl::StrCat(identities.path.string(), ": ", names.size(), " identities; ", hosts,
                                            " wanted. Make them with `bench-fleet join`"));
  }
  names.resize(hosts);
  auto impl = std::make_unique<Impl>();
  impl->began = Now();
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(auto channel, MakeChannel(address, identities, name));
    impl->agents.push_back(std::make_unique<SimulatedAgent>(std::move(channel), impl->counters));
    impl->agents.back()->Start();
  }
  impl->Wait(timeout_s, [&] { return impl->counters.welcomed == hosts; });
  return std::unique_ptr<Fleet>(new Fleet(std::move(impl)));
}

FleetReport Fleet::Work(uint64_t round_trips, int timeout_s) {
  Counters& counters = impl_->counters;
  impl_->Wait(timeout_s, [&] { return counters.acknowledged >= round_trips; });
  FleetReport report;
  report.connected = counters.welcomed;
  report.connect_seconds = Seconds(impl_->began, counters.last_welcome);
  report.round_trips = counters.acknowledged;
  if (counters.first_task != 0) report.work_seconds = Seconds(counters.first_task, counters.last_acknowledged);
  report.task_bytes = counters.task_bytes;
  report.first_task_bytes = counters.first_task_bytes;
  return report;
}

}  // namespace reprise::bench
