// A folder that is one thing: its files mean nothing apart from each other. One class for each kind of backup program.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plugins/backup/judge/examiner.h"

namespace reprise::backup {

// What a repository turned out to be, and whether it says itself which files it must have.
struct RepositoryOutcome {
  Outcome outcome;
  uint64_t files = 0;
  bool complete = false;
};

class Repository {
 public:
  // Bytes that were read since it was last called.
  using Progress = std::function<void(uint64_t)>;
  virtual ~Repository() = default;
  virtual const char* name() const = 0;
  // Looks at names only; also of one whose names were changed.
  virtual bool Recognises(const std::filesystem::path& folder) const = 0;
  // Reads every file; changes nothing, takes no lock, never prunes or forgets. `name`: of the folder in evidence.
  virtual RepositoryOutcome Judge(const std::filesystem::path& folder, const std::string& name,
                                  const Progress& progress) const = 0;
};

std::vector<std::unique_ptr<Repository>> AllRepositories();
std::unique_ptr<Repository> MakeRestic();
std::unique_ptr<Repository> MakeBorg();

// Nullptr: just a folder.
const Repository* RepositoryAt(const std::vector<std::unique_ptr<Repository>>& all,
                               const std::filesystem::path& folder);

}  // namespace reprise::backup
