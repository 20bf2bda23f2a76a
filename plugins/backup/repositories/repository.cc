#include "plugins/backup/repositories/repository.h"

namespace reprise::backup {

std::vector<std::unique_ptr<Repository>> AllRepositories() {
  std::vector<std::unique_ptr<Repository>> all;
  all.push_back(MakeRestic());
  all.push_back(MakeBorg());
  return all;
}

const Repository* RepositoryAt(const std::vector<std::unique_ptr<Repository>>& all,
                               const std::filesystem::path& folder) {
  for (const auto& repository : all) {
    if (repository->Recognises(folder)) return repository.get();
  }
  return nullptr;
}

}  // namespace reprise::backup
