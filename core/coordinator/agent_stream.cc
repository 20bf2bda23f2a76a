#include "core/coordinator/agent_stream.h"

#include <spdlog/spdlog.h>

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/coordinator/status.h"
#include "core/model/size_limits.h"

namespace reprise::coordinator {
namespace {

constexpr int kBatchMessagesMax = 256;
// Beside a batch that is all but full, with what protobuf puts around each.
constexpr size_t kOneBytesMax = model::kMessageBytesMax - model::kBatchBytes - 4096;
// A stream that does not take what it is sent is cut; its agent comes back and is told anew.
constexpr size_t kQueueBytesMax = 32 << 20;

bool IsEndOf(const agent::v1::AgentMessage& begin, const agent::v1::AgentMessage& end) {
  if (!begin.has_accepted() || !end.has_finished()) return false;
  const agent::v1::TaskKey &one = begin.accepted().key(), &other = end.finished().key();
  return one.run() == other.run() && one.stage() == other.stage() && one.step() == other.step() &&
         one.attempt() == other.attempt() && one.rollback() == other.rollback() && one.plan_id() == other.plan_id();
}

}  // namespace

AgentStream::AgentStream(AgentCaller caller, Loop& loop, SessionTable& sessions, const SideTalk& side_talk)
    : host_(std::move(caller.host)),
      certificate_(std::move(caller.certificate)),
      address_(std::move(caller.address)),
      loop_(loop),
      sessions_(sessions),
      side_talk_(side_talk) {}

AgentStream* AgentStream::Start(AgentCaller caller, Loop& loop, SessionTable& sessions, const SideTalk& side_talk) {
  std::shared_ptr<AgentStream> stream(new AgentStream(std::move(caller), loop, sessions, side_talk));
  stream->self_ = stream;
  stream->StartRead(&stream->incoming_);
  return stream.get();
}

void AgentStream::OnReadDone(bool ok) {
  if (!ok) {
    std::lock_guard lock(mutex_);
    return FinishLocked(absl::OkStatus());
  }
  std::vector<engine::Input> inputs;
  if (absl::Status taken = Take(inputs); !taken.ok()) {
    spdlog::warn("agent {}: {}", host_, std::string(taken.message()));
    std::lock_guard lock(mutex_);
    return FinishLocked(taken);
  }
  if (inputs.empty()) return ReadOn();
  loop_.Post(std::move(inputs), [weak = weak_from_this()] {
    if (const auto stream = weak.lock()) stream->ReadOn();
  });
}

absl::Status AgentStream::Take(std::vector<engine::Input>& inputs) {
  // An honest agent packs a batch and one message more. Its host may be in other hands, with good papers.
  if (incoming_.ByteSizeLong() > model::kMessageBytesMax) {
    return absl::ResourceExhaustedError("more at once than an agent has to say; its stream is cut");
  }
  auto& messages = *incoming_.mutable_messages();
  for (int i = 0; i < messages.size(); ++i) {
    agent::v1::AgentMessage& message = messages[i];
    // Ended in the same breath: that it began needs no record of its own.
    if (i + 1 < messages.size() && IsEndOf(message, messages[i + 1])) continue;
    if (session_ == 0) {
      if (!message.has_hello()) return absl::InvalidArgumentError("its first message is not hello");
      session_ = sessions_.Open(host_, weak_from_this());
      inputs.push_back(engine::SessionOpened{host_, session_, message.hello(), address_, certificate_});
      continue;
    }
    switch (message.kind_case()) {
      case agent::v1::AgentMessage::kHello:
        return absl::InvalidArgumentError("said hello twice");
      case agent::v1::AgentMessage::kHeartbeat:
        break;  // That the stream is open says it already.
      case agent::v1::AgentMessage::kProgress:
        side_talk_.progress(host_, std::move(*message.mutable_progress()));
        break;
      case agent::v1::AgentMessage::kPreview:
        side_talk_.preview(host_, std::move(*message.mutable_preview()));
        break;
      case agent::v1::AgentMessage::KIND_NOT_SET:
        break;  // Of a newer agent.
      default:
        inputs.push_back(engine::AgentSaid{host_, session_, std::move(message)});
    }
  }
  return absl::OkStatus();
}

void AgentStream::ReadOn() {
  std::lock_guard lock(mutex_);
  if (finished_) return;
  incoming_.Clear();
  StartRead(&incoming_);
}

void AgentStream::Deliver(std::vector<agent::v1::CoordinatorMessage> messages) {
  std::lock_guard lock(mutex_);
  if (finished_) return;
  for (agent::v1::CoordinatorMessage& message : messages) {
    const size_t size = message.ByteSizeLong();
    // Nothing so great is made any more; if it is, its agent is better off without it than cut off by it, again and again.
    if (size > kOneBytesMax) {
      spdlog::error("agent {}: a message of {} bytes is not sent; the agent could take {}", host_, size, kOneBytesMax);
      continue;
    }
    queued_bytes_ += size;
    queue_.push_back(std::move(message));
  }
  if (queued_bytes_ > kQueueBytesMax) {
    spdlog::warn("agent {}: does not read what it is sent; its stream is cut", host_);
    return FinishLocked(absl::ResourceExhaustedError("too much waits to be read"));
  }
  if (!writing_) WriteLocked();
}

void AgentStream::WriteLocked() {
  if (queue_.empty()) return;
  outgoing_.Clear();
  size_t bytes = 0;
  while (!queue_.empty() && bytes < model::kBatchBytes && outgoing_.messages_size() < kBatchMessagesMax) {
    const size_t size = queue_.front().ByteSizeLong();
    bytes += size;
    queued_bytes_ -= size;
    *outgoing_.add_messages() = std::move(queue_.front());
    queue_.pop_front();
  }
  writing_ = true;
  StartWrite(&outgoing_);
}

void AgentStream::OnWriteDone(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (!ok) return FinishLocked(absl::OkStatus());
  if (!finished_) WriteLocked();
}

void AgentStream::End(const std::string& reason) {
  std::lock_guard lock(mutex_);
  FinishLocked(absl::AbortedError(reason));
}

void AgentStream::OnCancel() {
  std::lock_guard lock(mutex_);
  FinishLocked(absl::CancelledError());
}

void AgentStream::FinishLocked(const absl::Status& status) {
  if (finished_) return;
  finished_ = true;
  queue_.clear();
  Finish(ToGrpc(status));
  // Now, not when gRPC is done: the status waits behind what a deaf peer does not read.
  LeaveSession();
}

void AgentStream::LeaveSession() {
  const uint64_t session = session_;
  if (session == 0 || left_.exchange(true)) return;
  sessions_.Close(session);
  loop_.Post({engine::SessionClosed{host_, session, "the stream ended"}}, nullptr);
}

void AgentStream::OnDone() {
  LeaveSession();
  const std::shared_ptr<AgentStream> last = std::move(self_);
}

}  // namespace reprise::coordinator
