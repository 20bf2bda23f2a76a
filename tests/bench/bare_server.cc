#include "tests/bench/bare_server.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "reprise/agent/v1/agent_service.grpc.pb.h"

namespace reprise::bench {
namespace {

using agent::v1::AgentBatch;
using agent::v1::AgentService;
using agent::v1::CoordinatorBatch;

class Conversation;

// Lets all begin together, as a wave does.
class Start {
 public:
  explicit Start(uint32_t hosts) : missing_(hosts) {}
  void Arrived(Conversation* conversation);

 private:
  std::mutex mutex_;
  std::vector<Conversation*> waiting_;
  uint32_t missing_;
};

class Conversation final : public grpc::ServerBidiReactor<AgentBatch, CoordinatorBatch> {
 public:
  Conversation(const BareServerOptions& options, Start& start)
      : options_(options), start_(start), padding_(std::max<uint64_t>(options.task_bytes, 32) - 32, 'x') {
    StartRead(&reading_);
  }

  void Begin() {
    std::lock_guard lock(mutex_);
    AddTaskLocked();
    FlushLocked();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    bool arrived = false;
    {
      std::lock_guard lock(mutex_);
      for (const auto& message : reading_.messages()) arrived |= TakeLocked(message);
      FlushLocked();
    }
    if (arrived) start_.Arrived(this);
    StartRead(&reading_);
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    busy_ = false;
    if (ok) FlushLocked();
  }

  void OnDone() override { delete this; }

 private:
  bool TakeLocked(const agent::v1::AgentMessage& message) {
    if (message.has_hello()) {
      waiting_.add_messages()->mutable_welcome()->set_heartbeat_ms(15'000);
      return true;
    }
    if (message.has_finished()) {
      *waiting_.add_messages()->mutable_acknowledged()->mutable_key() = message.finished().key();
      if (given_ < options_.tasks_per_host) AddTaskLocked();
    }
    return false;
  }

  void AddTaskLocked() {
    auto& task = *waiting_.add_messages()->mutable_task();
    task.mutable_key()->set_run(1);
    task.mutable_key()->set_step(given_);
    task.mutable_key()->set_attempt(1);
    task.mutable_key()->set_plan_id(padding_);
    if (given_ == 0) task.mutable_authority()->set_header(std::string(options_.first_task_bytes, 'x'));
    given_ += 1;
  }

  void FlushLocked() {
    if (busy_ || waiting_.messages().empty()) return;
    writing_.Clear();
    writing_.Swap(&waiting_);
    busy_ = true;
    StartWrite(&writing_);
  }

  const BareServerOptions& options_;
  Start& start_;
  const std::string padding_;
  AgentBatch reading_;
  CoordinatorBatch writing_;

  std::mutex mutex_;
  CoordinatorBatch waiting_;
  bool busy_ = false;
  uint32_t given_ = 0;
};

void Start::Arrived(Conversation* conversation) {
  std::vector<Conversation*> all;
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(conversation);
    if (missing_ > 0) missing_ -= 1;
    if (missing_ > 0) return;
    all.swap(waiting_);
  }
  for (Conversation* each : all) each->Begin();
}

class Service final : public AgentService::CallbackService {
 public:
  explicit Service(const BareServerOptions& options) : options_(options), start_(options.hosts) {}

  grpc::ServerBidiReactor<AgentBatch, CoordinatorBatch>* Connect(grpc::CallbackServerContext*) override {
    return new Conversation(options_, start_);
  }

 private:
  const BareServerOptions options_;
  Start start_;
};

}  // namespace

struct BareServer::Impl {
  explicit Impl(const BareServerOptions& options) : service(options) {}
  Service service;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

BareServer::BareServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

BareServer::~BareServer() { impl_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2)); }

int BareServer::port() const { return impl_->port; }

absl::StatusOr<std::unique_ptr<BareServer>> BareServer::Start(const BareServerOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = options.ca;
  tls.pem_key_cert_pairs.push_back({options.key, options.certificate});
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &impl->port);
  builder.RegisterService(&impl->service);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || impl->port == 0) return absl::UnavailableError("no free port on 127.0.0.1");
  return std::unique_ptr<BareServer>(new BareServer(std::move(impl)));
}

}  // namespace reprise::bench
