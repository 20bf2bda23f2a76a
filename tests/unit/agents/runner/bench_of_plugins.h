// A runner over a cache of its own with the mock plugin in it, and verbs run to their end. For tests on real processes.
#pragma once

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "agents/runner/process_runner.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "tests/support/files.h"

namespace reprise::runner {

using nlohmann::json;

// True as soon as `condition` is, false when `limit` is over.
inline bool Eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// Processes of this machine with that name that still run (one that nobody has reaped does not).
inline int CountNamed(const std::string& name) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string stat = Slurp(entry.path() / "stat");  // 12 (name) S …
    const size_t found = stat.find("(" + name + ") ");
    if (found != std::string::npos && stat[found + name.size() + 3] != 'Z') ++count;
  }
  return count;
}

// A verb under way, as the asker sees it.
class Running {
 public:
  void Progressed(agents::VerbProgress progress) {
    const std::lock_guard lock(mutex_);
    progress_.push_back(std::move(progress));
    changed_.notify_all();
  }
  void Ended(agents::VerbResult result) {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(result_) << "on_end came twice";
    result_ = std::move(result);
    changed_.notify_all();
  }
  bool WaitForProgress() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return !progress_.empty(); });
  }
  agents::VerbResult Wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(60), [&] { return result_.has_value(); })) {
      ADD_FAILURE() << "on_end never came";
      return {};
    }
    return *result_;
  }
  std::vector<agents::VerbProgress> progress() {
    const std::lock_guard lock(mutex_);
    return progress_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<agents::VerbProgress> progress_;
  std::optional<agents::VerbResult> result_;
};

class BenchOfPlugins : public ::testing::Test {
 protected:
  void SetUp() override {
    spdlog::set_level(spdlog::level::off);  // The mock is told to say too much.
    std::string made = std::filesystem::temp_directory_path() / "reprise-runner-XXXXXX";
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    folder_ = made;
    std::filesystem::create_directories(folder_ / "cache");
    std::filesystem::create_directories(folder_ / "data");
    mock_ = Add(BuildFolder() / "plugins" / "mock.so");
    options_.plugin_host = BuildFolder() / "bin" / "reprise-plugin-host";
    options_.cache = folder_ / "cache";
    options_.work = folder_ / "work";
    options_.host = "ws-001";
  }
  void TearDown() override {
    runner_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Puts a file into the cache under its hash.
  std::string Add(const std::filesystem::path& file) { return AddContent(Slurp(file)); }
  std::string AddContent(const std::string& content) {
    const std::string sha256 = crypto::Sha256(content);
    std::ofstream(folder_ / "cache" / ToHex(sha256), std::ios::binary) << content;
    return sha256;
  }

  ProcessRunner& runner() {
    if (!runner_) {
      auto made = ProcessRunner::Create(options_);
      if (!made.ok()) throw std::runtime_error(std::string(made.status().message()));
      runner_ = *std::move(made);
    }
    return *runner_;
  }
  bool Sandboxed() { return runner().HowConfined() == Confinement::kNamespaces; }

  agents::VerbRequest Request(model::v1::Verb verb, json params, const std::string& action = "touch") {
    if (!params.contains("state_file")) params["state_file"] = State();
    agents::VerbRequest request;
    request.id = next_id_++;
    request.verb = verb;
    request.plugin_sha256 = mock_;
    request.action = action;
    request.params_json = params.dump();
    request.deadline = SystemClock().Now() + 30'000;
    return request;
  }
  std::shared_ptr<Running> Start(const agents::VerbRequest& request) {
    auto running = std::make_shared<Running>();
    runner().Start(
        request, [running](agents::VerbProgress progress) { running->Progressed(std::move(progress)); },
        [running](agents::VerbResult result) { running->Ended(std::move(result)); });
    return running;
  }
  agents::VerbResult Run(const agents::VerbRequest& request) { return Start(request)->Wait(); }
  agents::VerbResult Run(model::v1::Verb verb, const json& params = json::object(),
                         const std::string& action = "touch") {
    return Run(Request(verb, params, action));
  }

  std::string State() const { return folder_ / "data" / "state"; }
  std::string Witness() const { return folder_ / "data" / "witness"; }

  std::filesystem::path folder_;
  std::string mock_;
  ProcessRunnerOptions options_;
  std::unique_ptr<ProcessRunner> runner_;
  uint64_t next_id_ = 1;
};

}  // namespace reprise::runner
