#include "core/coordinator/workers.h"

#include <utility>

namespace reprise::coordinator {

Workers::Workers(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

void Workers::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  std::multimap<Clock::time_point, std::function<void()>> dropped;
  std::lock_guard lock(mutex_);
  dropped.swap(waiting_);
}

void Workers::RunAfter(std::chrono::milliseconds delay, std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    waiting_.emplace(Clock::now() + delay, std::move(work));
  }
  wake_.notify_one();
}

void Workers::Work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (waiting_.empty()) {
      wake_.wait(lock);
      continue;
    }
    const auto due = waiting_.begin()->first;
    if (due > Clock::now()) {
      wake_.wait_until(lock, due);
      continue;
    }
    std::function<void()> work = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

}  // namespace reprise::coordinator
