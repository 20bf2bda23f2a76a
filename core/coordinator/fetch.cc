#include "core/coordinator/fetch.h"

#include <memory>
#include <mutex>
#include <utility>

#include "core/coordinator/status.h"

namespace reprise::coordinator {
namespace {

constexpr size_t kChunk = 256 << 10;

class Fetch final : public grpc::ServerWriteReactor<agent::v1::FetchChunk>, public std::enable_shared_from_this<Fetch> {
 public:
  Fetch(OpenBlob blob, Throttle& throttle, Workers& workers)
      : blob_(std::move(blob)), throttle_(throttle), workers_(workers) {}

  void Begin() {
    self_ = shared_from_this();
    Next();
  }

  void OnWriteDone(bool ok) override { ok ? Next() : End(absl::CancelledError()); }
  void OnCancel() override { End(absl::CancelledError()); }
  void OnDone() override { const std::shared_ptr<Fetch> last = std::move(self_); }

 private:
  // Weak: whoever hung up need not be waited for.
  void Next() {
    workers_.Run([weak = weak_from_this()] {
      if (const auto fetch = weak.lock()) fetch->ReadChunk();
    });
  }

  void ReadChunk() {
    auto data = blob_.Read(kChunk);
    if (!data.ok()) return End(data.status());
    if (data->empty() && (sent_something_ || blob_.size() > 0)) return End(absl::OkStatus());
    const auto wait = throttle_.Take(data->size(), Throttle::Clock::now());
    chunk_.set_data(*std::move(data));
    chunk_.set_total_size(blob_.size());
    sent_something_ = true;
    workers_.RunAfter(wait, [weak = weak_from_this()] {
      if (const auto fetch = weak.lock()) fetch->Send();
    });
  }

  void Send() {
    std::lock_guard lock(mutex_);
    if (!ended_) StartWrite(&chunk_);
  }

  void End(const absl::Status& status) {
    std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    Finish(ToGrpc(status));
  }

  OpenBlob blob_;
  Throttle& throttle_;
  Workers& workers_;
  std::shared_ptr<Fetch> self_;
  agent::v1::FetchChunk chunk_;
  bool sent_something_ = false;
  std::mutex mutex_;
  bool ended_ = false;
};

}  // namespace

grpc::ServerWriteReactor<agent::v1::FetchChunk>* StartFetch(OpenBlob blob, Throttle& throttle, Workers& workers) {
  const auto fetch = std::make_shared<Fetch>(std::move(blob), throttle, workers);
  fetch->Begin();
  return fetch.get();
}

}  // namespace reprise::coordinator
