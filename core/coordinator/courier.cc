#include "core/coordinator/courier.h"

#include <utility>

namespace reprise::coordinator {

Courier::~Courier() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  given_.notify_one();
  thread_.join();
}

void Courier::Give(std::function<void()> parcel) {
  {
    std::lock_guard lock(mutex_);
    parcels_.push_back(std::move(parcel));
  }
  given_.notify_one();
}

void Courier::Settle() {
  std::unique_lock lock(mutex_);
  carried_.wait(lock, [this] { return parcels_.empty() && !carrying_; });
}

void Courier::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    given_.wait(lock, [this] { return !parcels_.empty() || ending_; });
    if (parcels_.empty()) return;
    std::vector<std::function<void()>> parcels = std::exchange(parcels_, {});
    carrying_ = true;
    lock.unlock();
    for (const auto& parcel : parcels) parcel();
    parcels.clear();
    lock.lock();
    carrying_ = false;
    carried_.notify_all();
  }
}

}  // namespace reprise::coordinator
