#include "tests/bench/bare_server.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "reprise/agent/v1/agent_service.grpc.pb.h"
#include "tests/bench/group_commit.h"

namespace reprise::bench {
namespace {

using agent::v1::AgentBatch;
using agent::v1::AgentService;
using agent::v1::CoordinatorBatch;
using agent::v1::CoordinatorMessage;

// Of a task without its plan's name.
constexpr uint64_t kKeyBytes = 10;

class Conversation;

// Everybody who said hello, in that order.
class Hall {
 public:
  void Enter(std::shared_ptr<Conversation> conversation) {
    std::lock_guard lock(mutex_);
    present_.push_back(std::move(conversation));
  }
  void Leave(const Conversation* conversation) {
    std::lock_guard lock(mutex_);
    std::erase_if(present_, [&](const auto& other) { return other.get() == conversation; });
  }
  std::vector<std::shared_ptr<Conversation>> Present() {
    std::lock_guard lock(mutex_);
    return present_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Conversation>> present_;
};

// What was decided in one go: rows to be made durable, then messages to be sent.
struct Turn {
  std::vector<std::string> rows;
  std::vector<CoordinatorMessage> messages;
};

class Conversation final : public grpc::ServerBidiReactor<AgentBatch, CoordinatorBatch>,
                           public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(Hall& hall, GroupCommit* journal) : hall_(hall), journal_(journal) {}

  void Open(std::shared_ptr<Conversation> self) {
    self_ = std::move(self);
    StartRead(&reading_);
  }

  void Begin(const BareOrder& order) {
    Turn turn;
    {
      std::lock_guard lock(mutex_);
      order_ = order;
      given_ = 0;
      padding_.assign(std::max(order.task_bytes, kKeyBytes) - kKeyBytes, 'x');
      for (uint32_t i = 0; i < order.in_flight; ++i) AddTaskLocked(turn);
    }
    Settle(std::move(turn), false);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    Turn turn;
    bool arrived = false;
    {
      std::lock_guard lock(mutex_);
      for (const auto& message : reading_.messages()) arrived |= TakeLocked(message, turn);
    }
    if (arrived) hall_.Enter(shared_from_this());
    Settle(std::move(turn), true);
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    busy_ = false;
    if (ok) FlushLocked();
  }

  void OnDone() override {
    hall_.Leave(this);
    const std::shared_ptr<Conversation> last = std::move(self_);
  }

 private:
  bool TakeLocked(const agent::v1::AgentMessage& message, Turn& turn) {
    if (message.has_hello()) {
      turn.messages.emplace_back().mutable_welcome()->set_heartbeat_ms(15'000);
      return true;
    }
    if (message.has_finished()) {
      AddRowLocked(turn, message.finished().SerializeAsString());
      *turn.messages.emplace_back().mutable_acknowledged()->mutable_key() = message.finished().key();
      AddTaskLocked(turn);
    }
    return false;
  }

  void AddTaskLocked(Turn& turn) {
    if (given_ >= order_.tasks_per_host) return;
    auto& task = *turn.messages.emplace_back().mutable_task();
    task.mutable_key()->set_run(1);
    task.mutable_key()->set_step(given_);
    task.mutable_key()->set_attempt(1);
    task.mutable_key()->set_plan_id(padding_);
    AddRowLocked(turn, task.SerializeAsString());
    if (given_ == 0) task.mutable_authority()->set_header(std::string(order_.first_task_bytes, 'x'));
    given_ += 1;
  }

  // A round trip has two rows, which share what the coordinator writes for one.
  void AddRowLocked(Turn& turn, std::string row) {
    if (!order_.durable) return;
    row.resize(order_.journal_bytes / 2, 'x');
    turn.rows.push_back(std::move(row));
  }

  void Settle(Turn turn, bool read_on) {
    if (turn.rows.empty()) return Deliver(std::move(turn.messages), read_on);
    auto rows = std::move(turn.rows);
    journal_->Add(std::move(rows), [self = shared_from_this(), messages = std::move(turn.messages), read_on]() mutable {
      self->Deliver(std::move(messages), read_on);
    });
  }

  void Deliver(std::vector<CoordinatorMessage> messages, bool read_on) {
    {
      std::lock_guard lock(mutex_);
      for (auto& message : messages) *waiting_.add_messages() = std::move(message);
      FlushLocked();
    }
    if (read_on) StartRead(&reading_);
  }

  void FlushLocked() {
    if (busy_ || waiting_.messages().empty()) return;
    writing_.Clear();
    writing_.Swap(&waiting_);
    busy_ = true;
    StartWrite(&writing_);
  }

  Hall& hall_;
  GroupCommit* const journal_;
  std::shared_ptr<Conversation> self_;  // gRPC's, until OnDone.
  AgentBatch reading_;
  CoordinatorBatch writing_;

  std::mutex mutex_;
  BareOrder order_;
  std::string padding_;
  CoordinatorBatch waiting_;
  bool busy_ = false;
  uint32_t given_ = 0;
};

class Service final : public AgentService::CallbackService {
 public:
  explicit Service(std::unique_ptr<GroupCommit> made) : journal(std::move(made)) {}

  grpc::ServerBidiReactor<AgentBatch, CoordinatorBatch>* Connect(grpc::CallbackServerContext*) override {
    auto conversation = std::make_shared<Conversation>(hall, journal.get());
    Conversation* const plain = conversation.get();
    plain->Open(std::move(conversation));
    return plain;
  }

  const std::unique_ptr<GroupCommit> journal;
  Hall hall;
};

}  // namespace

struct BareServer::Impl {
  explicit Impl(std::unique_ptr<GroupCommit> journal) : service(std::move(journal)) {}
  Service service;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

BareServer::BareServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

BareServer::~BareServer() {
  impl_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2));
}

int BareServer::port() const {
  return impl_->port;
}

absl::Status BareServer::Begin(const BareOrder& order) {
  if (order.durable && impl_->service.journal == nullptr) return absl::FailedPreconditionError("there is no --journal");
  auto present = impl_->service.hall.Present();
  if (present.size() < order.hosts) {
    return absl::FailedPreconditionError(
        absl::StrCat(present.size(), " hosts are connected; ", order.hosts, " wanted"));
  }
  present.resize(order.hosts);
  for (const auto& conversation : present) conversation->Begin(order);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<BareServer>> BareServer::Start(const BareServerOptions& options) {
  std::unique_ptr<GroupCommit> journal;
  if (!options.journal.empty()) {
    ASSIGN_OR_RETURN(journal, GroupCommit::Create(options.journal));
  }
  auto impl = std::make_unique<Impl>(std::move(journal));
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
