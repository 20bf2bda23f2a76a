// A thread that does small things in the order in which it was given them: it hands messages to gRPC, which encrypts and
// sends within the call, while the loop decides the next batch.
// Any thread may give; what is given must not throw, nor wait for another parcel.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace reprise::coordinator {

class Courier {
 public:
  Courier() : thread_([this] { Run(); }) {}
  // Carries what it has before it ends.
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void Give(std::function<void()> parcel);
  // Returns when all that was given before is carried.
  void Settle();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable given_;
  std::condition_variable carried_;
  std::vector<std::function<void()>> parcels_;
  bool carrying_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace reprise::coordinator
