// What a recovery point consists of: its files, and the repositories among its folders. Follows no symbolic link.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "plugins/backup/judge/finding.h"
#include "plugins/backup/worker/job.h"

namespace reprise::backup {

struct Inventory {
  std::deque<Job> jobs;           // There may be very many: never moved to a larger room.
  std::deque<Job> inside;         // Files of repositories, to be hashed only: they are judged with their folder.
  uint64_t bytes = 0;             // Of the jobs.
  int64_t newest_ns = 0;          // The latest modification of any file that was looked at; 0: there is none.
  std::vector<Finding> findings;  // What could not be looked into.
};

// `every`: asks for size and times of every file, by which it is known again; otherwise, where there are very many, of some.
Inventory InventoryOf(const std::filesystem::path& path, bool every = true);

// Lists of checksums that lie beside the files (SHA256SUMS, x.sha256, …): they say what must be there, and vouch for
// it.
struct Manifest {
  struct Line {
    std::string digest;  // Lower-case hex.
    uint64_t offset = 0;
  };
  std::string name;                   // Of the manifest, as in the inventory.
  std::map<std::string, Line> files;  // By name, as in the inventory.
  std::vector<Finding> findings;
};

bool IsManifestName(const std::string& name);
// `text`: of the manifest `name`. A line that is none is a finding; no line at all: not a manifest, and no finding.
Manifest ParseManifest(const std::string& name, const std::string& text);

}  // namespace reprise::backup
