// A control group for one verb, where the agent may make one (cgroup v1 or v2): how many processes and how much real
// memory all that it starts may take. Where it may not, the verb runs without.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "agents/runner/fd.h"

namespace reprise::runner {

class VerbCgroups {
 public:
  // Empty where control groups cannot be had.
  // `number`: unique in this process.
  static VerbCgroups Make(uint64_t number, int processes_max, int64_t memory_mb_max);
  // Takes away those that runners left behind which were killed themselves: empty groups, whose process is gone.
  static void RemoveOrphans();
  VerbCgroups() = default;
  VerbCgroups(VerbCgroups&&) = default;
  VerbCgroups& operator=(VerbCgroups&&) = default;
  // The groups go once nothing is in them.
  ~VerbCgroups();

  // cgroup.procs of each: who writes "0" there joins.
  std::vector<int> join_fds() const;

 private:
  struct Group {
    std::filesystem::path folder;
    Fd join;
  };
  void Add(const std::filesystem::path& folder, const std::string& file, const std::string& limit);
  std::vector<Group> groups_;
};

}  // namespace reprise::runner
