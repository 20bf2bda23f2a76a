// One thread that does jobs in turn: for what takes time and may not hold up the loop.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace reprise::daemon {

class Worker {
 public:
  Worker() : thread_([this] { Run(); }) {}
  // Drops what has not begun; waits for what has.
  ~Worker() { Stop(); }

  void Post(std::function<void()> job);  // [any thread]
  void Stop();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace reprise::daemon
