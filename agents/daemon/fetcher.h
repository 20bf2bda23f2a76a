// Carries out the engine's FetchFiles: what is in the cache at once, the rest from the coordinator, in turn. Jobs that
// need a coordinator while there is none are parked until there is one.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "agents/daemon/coordinator_link.h"
#include "agents/daemon/file_cache.h"
#include "agents/daemon/worker.h"
#include "agents/engine/agent_engine.h"

namespace reprise::daemon {

class Fetcher {
 public:
  // `done` is called from the workers' threads, once for each job that was not dropped.
  Fetcher(const FileCache& cache, CoordinatorLink& link, Worker& local, Worker& remote,
          std::function<void(agents::FilesReady)> done)
      : cache_(cache), link_(link), local_(local), remote_(remote), done_(std::move(done)) {}

  // [any thread]
  void Fetch(agents::FetchFiles request);
  void Drop(uint64_t id);
  // A session stands now: parked jobs are tried again.
  void Online();

 private:
  struct Job {
    agents::FetchFiles request;
    std::atomic<bool> dropped = false;
    int bad_content = 0;
  };
  using SharedJob = std::shared_ptr<Job>;

  void LookInCache(const SharedJob& job);
  void Download(const SharedJob& job);
  absl::Status Complete(const SharedJob& job);
  void End(const SharedJob& job, const absl::Status& status, const std::string& code);

  const FileCache& cache_;
  CoordinatorLink& link_;
  Worker& local_;
  Worker& remote_;
  std::function<void(agents::FilesReady)> done_;

  std::mutex mutex_;
  std::map<uint64_t, SharedJob> jobs_;  // Not ended, not dropped.
  std::map<uint64_t, SharedJob> parked_;
  uint64_t online_ = 0;  // How often Online was called.
};

// The content bears this signature by one of these keys. UNAUTHENTICATED otherwise.
absl::Status CheckPluginSignature(const std::string& content, const agents::WantedFile& file);

}  // namespace reprise::daemon
