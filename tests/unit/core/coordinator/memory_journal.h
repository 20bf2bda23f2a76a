// A journal in memory that refuses when the test says so.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "core/journal/journal.h"

namespace reprise::coordinator::testing {

class MemoryJournal final : public journal::Journal {
 public:
  struct Disk {
    std::mutex mutex;
    std::vector<journal::Record> records;
    std::optional<journal::Snapshot> snapshot;
    int appends = 0;
    std::atomic<bool> full{false};
    std::function<void()> before_append;
  };
  explicit MemoryJournal(Disk& disk) : disk_(disk) {}

  absl::Status Append(const std::vector<journal::v1::Event>& events) override {
    if (disk_.before_append) disk_.before_append();
    if (disk_.full) return absl::ResourceExhaustedError("the disk is full");
    std::lock_guard lock(disk_.mutex);
    disk_.appends += 1;
    for (const auto& event : events) {
      const uint64_t sequence = disk_.records.size() + 1;
      const std::string payload = event.SerializeAsString();
      disk_.records.push_back({sequence, journal::ChainHash(Head(), sequence, payload), payload});
    }
    return absl::OkStatus();
  }
  absl::Status Read(uint64_t from, const std::function<absl::Status(const journal::Record&)>& visit) override {
    for (size_t i = from - 1; i < disk_.records.size(); ++i) {
      if (absl::Status status = visit(disk_.records[i]); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  uint64_t LastSequence() const override { return disk_.records.size(); }
  std::string Head() const override { return disk_.records.empty() ? std::string(32, '\0') : disk_.records.back().hash; }
  absl::Status SaveSnapshot(const journal::Snapshot& snapshot) override {
    disk_.snapshot = snapshot;
    return absl::OkStatus();
  }
  absl::StatusOr<journal::Snapshot> LoadSnapshot() override {
    if (!disk_.snapshot) return absl::NotFoundError("none");
    return *disk_.snapshot;
  }

 private:
  Disk& disk_;
};

}  // namespace reprise::coordinator::testing
