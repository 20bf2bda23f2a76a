// A few threads for what may wait for the disk or for time, so that neither the loop nor a gRPC thread ever does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace reprise::coordinator {

class Workers {
 public:
  explicit Workers(int threads);
  ~Workers() { Stop(); }

  // What has not begun is dropped, now and later. Nothing runs any more when it returns.
  void Stop();

  void Run(std::function<void()> work) { RunAfter(std::chrono::milliseconds(0), std::move(work)); }
  void RunAfter(std::chrono::milliseconds delay, std::function<void()> work);

 private:
  using Clock = std::chrono::steady_clock;
  void Work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<Clock::time_point, std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace reprise::coordinator
