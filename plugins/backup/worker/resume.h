// What was judged already, in a file: so that a judge that was killed goes on where it was, and reads nothing twice. One
// line for each finished file, each with a checksum of its own.
//
// A record counts for a file of the same path, size, times, inode and device, judged by the very same program, with the same
// expectation; anything else is judged anew. A file that cannot be read as such is ignored, with a word. What could not be
// read or decided by chance (a key that was missing, a child that died) is not recorded. Not thread-safe: one owner.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "plugins/backup/worker/job.h"
#include "plugins/sdk/file.h"

namespace reprise::backup {

class Resume {
 public:
  using Tell = std::function<void(const std::string& word)>;

  // `program`: reprise-backup-judge, whose content is a part of what records hang on. `writes` false: only looks things up.
  // Throws std::system_error when the file cannot be written.
  Resume(std::filesystem::path file, const std::string& program, Tell tell, bool writes = true);
  ~Resume();
  Resume(const Resume&) = delete;
  Resume& operator=(const Resume&) = delete;

  std::optional<JobOutcome> Find(const Job& job) const;
  // Reaches the file within a second, or at Flush. Where that fails (a full disk) it says so, and keeps nothing more.
  void Record(const Job& job, const JobOutcome& outcome);
  void Flush();
  size_t size() const { return records_.size(); }

 private:
  void Load();

  const std::filesystem::path path_;
  const Tell tell_;
  std::string head_;
  std::unordered_map<std::string, std::string> records_;  // By key: packed outcomes.
  sdk::Fd fd_;
  std::string unwritten_;
  std::chrono::steady_clock::time_point flushed_;
};

}  // namespace reprise::backup
