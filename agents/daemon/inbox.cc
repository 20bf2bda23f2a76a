#include "agents/daemon/inbox.h"

#include <utility>

namespace reprise::daemon {
namespace {

constexpr size_t kRoom = 512;

}  // namespace

void Inbox::Post(Item item) {
  std::lock_guard lock(mutex_);
  items_.push_back(std::move(item));
  if (items_.size() == 1) changed_.notify_one();
}

void Inbox::PostIfRoom(Item item) {
  std::lock_guard lock(mutex_);
  if (items_.size() >= kRoom) return;
  items_.push_back(std::move(item));
  if (items_.size() == 1) changed_.notify_one();
}

void Inbox::Stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_one();
}

bool Inbox::Stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_;
}

std::vector<Inbox::Item> Inbox::Take(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait, [this] { return stopped_ || !items_.empty(); });
  return std::exchange(items_, {});
}

}  // namespace reprise::daemon
