// Several confined children at work on jobs. A child that dies or hangs costs the one job that it was at: what it had is
// done again one by one, the job among it that kills a child once more is not evaluated. Not thread-safe: one owner.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugins/backup/worker/job.h"

namespace reprise::backup {

struct PoolOptions {
  std::string program;  // reprise-backup-judge
  size_t children = 2;
  // Without a byte read or an outcome for so long, a child is killed.
  std::chrono::milliseconds silence_max = std::chrono::seconds(60);
  // Added to what a child has of the environment: RESTIC_PASSWORD_FILE, …
  std::map<std::string, std::string> environment = {};
};

class Pool {
 public:
  using Done = std::function<void(const Job& job, JobOutcome outcome)>;
  using Read = std::function<void(uint64_t bytes)>;

  explicit Pool(PoolOptions options);
  ~Pool();  // Kills what is still at work.
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Starts the first children, so that they are ready by the time that the jobs are known. Throws as Run.
  void Prepare();
  // Does all jobs and returns. Throws std::system_error when no child can be started. `read` is also called now and
  // then with 0.
  void Run(std::deque<Job> jobs, const Done& done, const Read& read);

 private:
  struct Child;
  std::unique_ptr<Child> Start() const;
  void Fill(Child& child, std::deque<Job>& jobs) const;
  // False: the child has ended.
  bool Hear(Child& child, const Done& done, const Read& read) const;
  void Bury(Child& child, std::deque<Job>& jobs, const Done& done, bool hung) const;

  const PoolOptions options_;
  std::vector<std::unique_ptr<Child>> children_;
};

}  // namespace reprise::backup
