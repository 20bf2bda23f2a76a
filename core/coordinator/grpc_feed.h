// A feed over a gRPC server stream. Holds itself until gRPC is done with it. Included only by the operators' service.
#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "core/coordinator/feed.h"
#include "core/coordinator/status.h"

namespace reprise::coordinator {

template <class Message>
class GrpcFeed final : public grpc::ServerWriteReactor<Message>, public Feed<Message> {
 public:
  static std::shared_ptr<GrpcFeed> Make() {
    auto feed = std::make_shared<GrpcFeed>();
    feed->self_ = feed;
    return feed;
  }

  bool Offer(Message message) override {
    std::lock_guard lock(mutex_);
    if (finished_ || end_) return false;
    queue_.push_back(std::move(message));
    if (!writing_) NextLocked();
    return true;
  }

  void End(const absl::Status& status) override {
    std::lock_guard lock(mutex_);
    if (!end_) end_ = status;
    if (!writing_) NextLocked();
  }

  bool Drained() const override {
    std::lock_guard lock(mutex_);
    return finished_ || (!writing_ && queue_.empty());
  }

  bool Over() const override {
    std::lock_guard lock(mutex_);
    return finished_ || end_.has_value();
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) return FinishLocked(absl::CancelledError());
    NextLocked();
  }

  void OnCancel() override {
    std::lock_guard lock(mutex_);
    FinishLocked(absl::CancelledError());
  }

  void OnDone() override { const std::shared_ptr<GrpcFeed> last = std::move(self_); }

 private:
  void NextLocked() {
    if (finished_) return;
    if (queue_.empty()) {
      if (end_) FinishLocked(*end_);
      return;
    }
    outgoing_ = std::move(queue_.front());
    queue_.pop_front();
    writing_ = true;
    this->StartWrite(&outgoing_);
  }

  void FinishLocked(const absl::Status& status) {
    if (std::exchange(finished_, true)) return;
    queue_.clear();
    this->Finish(ToGrpc(status));
  }

  mutable std::mutex mutex_;
  std::shared_ptr<GrpcFeed> self_;
  std::deque<Message> queue_;
  Message outgoing_;
  std::optional<absl::Status> end_;
  bool writing_ = false;
  bool finished_ = false;
};

}  // namespace reprise::coordinator
