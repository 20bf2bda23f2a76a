#include "tests/bench/group_commit.h"

#include <cstdlib>
#include <iostream>

#include "core/base/status_macros.h"

namespace reprise::bench {

absl::StatusOr<std::unique_ptr<GroupCommit>> GroupCommit::Create(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path, sqlite::Database::Mode::kCreate));
  RETURN_IF_ERROR(database.MakeDurable());
  RETURN_IF_ERROR(database.Execute("CREATE TABLE row(sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL)"));
  ASSIGN_OR_RETURN(auto insert, database.Prepare("INSERT INTO row(sequence, payload) VALUES(?, ?)"));
  return std::unique_ptr<GroupCommit>(new GroupCommit(std::move(database), std::move(insert)));
}

GroupCommit::GroupCommit(sqlite::Database database, sqlite::Statement insert)
    : database_(std::move(database)), insert_(std::move(insert)), thread_([this] { Run(); }) {}

GroupCommit::~GroupCommit() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void GroupCommit::Add(std::vector<std::string> rows, std::function<void()> durable) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(rows), std::move(durable)});
    if (waiting_.size() > 1) return;  // It is woken already.
  }
  wake_.notify_one();
}

void GroupCommit::Run() {
  for (;;) {
    std::vector<Entry> entries;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !waiting_.empty() || ending_; });
      if (waiting_.empty()) return;
      entries.swap(waiting_);
    }
    Commit(entries);
    for (const Entry& entry : entries) entry.durable();
  }
}

void GroupCommit::Commit(const std::vector<Entry>& entries) {
  const absl::Status committed = database_.Transaction([&]() -> absl::Status {
    for (const Entry& entry : entries) {
      for (const std::string& row : entry.rows) {
        RETURN_IF_ERROR(insert_.Bind(1, static_cast<int64_t>(++rows_)).BindBlob(2, row).Run());
      }
    }
    return absl::OkStatus();
  });
  if (committed.ok()) return;
  // A figure without durability would be a wrong one.
  std::cerr << "bench: " << committed.message() << '\n';
  std::abort();
}

}  // namespace reprise::bench
