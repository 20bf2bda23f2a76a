// A folder of a test that goes with it, and waiting for something to become so, with a deadline.
#pragma once

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

namespace reprise::daemon::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    char pattern[] = "/tmp/agent-test-XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// True as soon as it is so; false when it is not within the time.
inline bool Eventually(const std::function<bool()>& so, std::chrono::milliseconds within = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!so()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace reprise::daemon::testing
