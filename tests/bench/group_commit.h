// The raw limit of durability: rows appended to an SQLite file (WAL, FULL), as many together as wait at the moment.
// No chain, no hash, no meaning. One thread commits, woken once for all that came meanwhile. (Committing on whichever
// of gRPC's threads comes first is several times slower: while it waits for the disk nobody reads, and nothing
// gathers.)
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/sqlite/database.h"

namespace reprise::bench {

class GroupCommit {
 public:
  static absl::StatusOr<std::unique_ptr<GroupCommit>> Create(const std::filesystem::path& path);

  ~GroupCommit();

  // `durable` is called once the rows are, on the committing thread. Any thread.
  void Add(std::vector<std::string> rows, std::function<void()> durable);

 private:
  struct Entry {
    std::vector<std::string> rows;
    std::function<void()> durable;
  };
  GroupCommit(sqlite::Database database, sqlite::Statement insert);
  void Run();
  void Commit(const std::vector<Entry>& entries);

  sqlite::Database database_;
  sqlite::Statement insert_;
  uint64_t rows_ = 0;

  std::mutex mutex_;
  std::vector<Entry> waiting_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace reprise::bench
