#include "agents/daemon/grpc_link.h"

#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/model/size_limits.h"
#include "reprise/agent/v1/agent_service.grpc.pb.h"

namespace reprise::daemon {
namespace {

using agent::v1::AgentBatch;
using agent::v1::AgentMessage;
using agent::v1::AgentService;
using agent::v1::CoordinatorBatch;

constexpr char kTlsName[] = "reprise-coordinator";
constexpr size_t kBatchMessagesMax = 256;
constexpr size_t kQueueBytesMax = 16 << 20;
constexpr auto kFetchMax = std::chrono::minutes(15);  // Cut then, and resumed.
constexpr auto kRenewTimeout = std::chrono::seconds(20);

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// What outlives the link until the last stream is done: gRPC calls back from its own threads.
struct Shared {
  CoordinatorLink::Events events;
  std::mutex mutex;
  std::condition_variable changed;
  int streams = 0;
  // Done with, to be destroyed by the link. Not by gRPC's thread: a stream may hold the last reference to its channel,
  // and with the channel go the threads that call back; one of them would wait for itself (gRPC 1.51 then aborts).
  std::vector<std::shared_ptr<void>> dead;
};

// One stream. Lives from Start until gRPC is done with it and the link has buried it.
class Stream final : public grpc::ClientBidiReactor<AgentBatch, CoordinatorBatch>,
                     public std::enable_shared_from_this<Stream> {
 public:
  Stream(uint64_t session, std::shared_ptr<Shared> shared) : session_(session), shared_(std::move(shared)) {}

  void Start(AgentService::Stub& stub) {
    self_ = shared_from_this();
    stub.async()->Connect(&context_, this);
    // Writes and reads are begun by the loop too, not only by reactions.
    AddHold();
    StartRead(&incoming_);
    StartCall();
  }

  void Send(std::vector<AgentMessage> messages) {
    std::lock_guard lock(mutex_);
    if (over_) return;
    for (AgentMessage& message : messages) {
      // What may be dropped is dropped first.
      if (queued_bytes_ > kQueueBytesMax / 2 && message.has_progress()) continue;
      queued_bytes_ += message.ByteSizeLong();
      queue_.push_back(std::move(message));
    }
    if (queued_bytes_ > kQueueBytesMax) return EndLocked();
    if (!writing_) WriteLocked();
  }

  void ReadOn() {
    std::lock_guard lock(mutex_);
    if (!over_) StartRead(&incoming_);
  }

  void End() {
    std::lock_guard lock(mutex_);
    EndLocked();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End();
    std::vector<agent::v1::CoordinatorMessage> messages(std::make_move_iterator(incoming_.mutable_messages()->begin()),
                                                        std::make_move_iterator(incoming_.mutable_messages()->end()));
    incoming_.Clear();
    shared_->events.said(session_, std::move(messages), [weak = weak_from_this()] {
      if (const auto stream = weak.lock()) stream->ReadOn();
    });
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) return EndLocked();
    if (!over_) WriteLocked();
  }

  void OnDone(const grpc::Status& status) override {
    absl::Status ended = FromGrpc(status);
    if (ended.ok()) ended = absl::UnavailableError("the coordinator ended the stream");
    shared_->events.closed(session_, ended);
    const std::shared_ptr<Shared> shared = shared_;
    std::lock_guard lock(shared->mutex);
    shared->dead.push_back(std::move(self_));
    shared->streams -= 1;
    shared->changed.notify_all();
  }

 private:
  void WriteLocked() {
    if (queue_.empty()) return;
    outgoing_.Clear();
    size_t bytes = 0;
    while (!queue_.empty() && bytes < model::kBatchBytes &&
           static_cast<size_t>(outgoing_.messages_size()) < kBatchMessagesMax) {
      const size_t size = queue_.front().ByteSizeLong();
      bytes += size;
      queued_bytes_ -= size;
      *outgoing_.add_messages() = std::move(queue_.front());
      queue_.pop_front();
    }
    writing_ = true;
    StartWrite(&outgoing_);
  }

  void EndLocked() {
    if (over_) return;
    over_ = true;
    queue_.clear();
    context_.TryCancel();
    RemoveHold();
  }

  const uint64_t session_;
  const std::shared_ptr<Shared> shared_;
  grpc::ClientContext context_;
  std::shared_ptr<Stream> self_;
  CoordinatorBatch incoming_;
  AgentBatch outgoing_;

  std::mutex mutex_;
  std::deque<AgentMessage> queue_;
  size_t queued_bytes_ = 0;
  bool writing_ = false;
  bool over_ = false;
};

class GrpcLink final : public CoordinatorLink {
 public:
  GrpcLink(std::string address, Events events) : address_(std::move(address)), shared_(std::make_shared<Shared>()) {
    shared_->events = std::move(events);
  }

  // After this, nobody is called back any more.
  ~GrpcLink() override {
    Close();
    {
      std::unique_lock lock(shared_->mutex);
      shared_->changed.wait(lock, [this] { return shared_->streams == 0; });
    }
    Bury();
  }

  void Open(uint64_t session, const Identity& identity) override {
    Close();
    Bury();
    auto stub = std::make_shared<std::unique_ptr<AgentService::Stub>>(AgentService::NewStub(MakeChannel(identity)));
    auto stream = std::make_shared<Stream>(session, shared_);
    {
      std::lock_guard lock(shared_->mutex);
      shared_->streams += 1;
    }
    {
      std::lock_guard lock(mutex_);
      stub_ = stub;
      stream_ = stream;
      session_ = session;
    }
    stream->Start(**stub);
  }

  void Send(uint64_t session, std::vector<AgentMessage> messages) override {
    std::shared_ptr<Stream> stream;
    {
      std::lock_guard lock(mutex_);
      if (session != session_) return;
      stream = stream_.lock();
    }
    if (stream) stream->Send(std::move(messages));
  }

  void Close() override {
    std::shared_ptr<Stream> stream;
    {
      std::lock_guard lock(mutex_);
      stream = stream_.lock();
      stream_.reset();
      stub_.reset();
      session_ = 0;
      for (grpc::ClientContext* call : calls_) call->TryCancel();
    }
    if (stream) stream->End();
  }

  absl::Status Fetch(const std::string& sha256, uint64_t offset,
                     const std::function<absl::Status(std::string_view, uint64_t)>& take) override {
    grpc::ClientContext context;
    const Call call(*this, context);
    const auto stub = call.stub();
    if (!stub) return absl::UnavailableError("not connected to the coordinator");
    context.set_deadline(std::chrono::system_clock::now() + kFetchMax);
    agent::v1::FetchRequest request;
    request.set_sha256(sha256);
    request.set_offset(offset);
    const auto reader = (*stub)->Fetch(&context, request);
    agent::v1::FetchChunk chunk;
    while (reader->Read(&chunk)) {
      if (absl::Status status = take(chunk.data(), chunk.total_size()); !status.ok()) {
        context.TryCancel();
        reader->Finish();
        return status;
      }
    }
    return FromGrpc(reader->Finish());
  }

  absl::StatusOr<std::string> Renew(const std::string& csr) override {
    grpc::ClientContext context;
    const Call call(*this, context);
    const auto stub = call.stub();
    if (!stub) return absl::UnavailableError("not connected to the coordinator");
    context.set_deadline(std::chrono::system_clock::now() + kRenewTimeout);
    agent::v1::RenewRequest request;
    request.set_csr_pem(csr);
    agent::v1::RenewResponse response;
    if (grpc::Status status = (*stub)->Renew(&context, request, &response); !status.ok()) return FromGrpc(status);
    return response.certificate_pem();
  }

 private:
  using SharedStub = std::shared_ptr<std::unique_ptr<AgentService::Stub>>;

  void Bury() {
    std::vector<std::shared_ptr<void>> dead;
    std::lock_guard lock(shared_->mutex);
    dead.swap(shared_->dead);
  }

  // A call beside the stream, which ends with it.
  class Call {
   public:
    Call(GrpcLink& link, grpc::ClientContext& context) : link_(link), context_(context) {
      std::lock_guard lock(link_.mutex_);
      stub_ = link_.stub_;
      link_.calls_.insert(&context_);
    }
    ~Call() {
      std::lock_guard lock(link_.mutex_);
      link_.calls_.erase(&context_);
    }
    Call(const Call&) = delete;
    const SharedStub& stub() const { return stub_; }

   private:
    GrpcLink& link_;
    grpc::ClientContext& context_;
    SharedStub stub_;
  };

  // A new channel for each session: new credentials take effect, and our own back-off is the only one.
  std::shared_ptr<grpc::Channel> MakeChannel(const Identity& identity) const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = identity.ca;
    options.pem_cert_chain = identity.certificate;
    options.pem_private_key = identity.key;
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride(kTlsName);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);  // Also the limit of one connection attempt.
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetMaxReceiveMessageSize(static_cast<int>(model::kMessageBytesMax));
    // Addresses only: no proxy out of the environment, no service configuration out of DNS.
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    return grpc::CreateCustomChannel(address_, grpc::SslCredentials(options), arguments);
  }

  const std::string address_;
  const std::shared_ptr<Shared> shared_;
  std::mutex mutex_;
  SharedStub stub_;
  std::set<grpc::ClientContext*> calls_;
  std::weak_ptr<Stream> stream_;
  uint64_t session_ = 0;
};

}  // namespace

std::unique_ptr<CoordinatorLink> MakeGrpcLink(const std::string& address, CoordinatorLink::Events events) {
  // gRPC would say on its own, at each try, what the loop says once.
  gpr_set_log_function([](gpr_log_func_args* said) { spdlog::debug("grpc: {}", said->message); });
  return std::make_unique<GrpcLink>(address, std::move(events));
}

}  // namespace reprise::daemon
