// A folder with a journal in it, and events to put there.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/journal/sqlite_journal.h"
#include "core/sqlite/database.h"
#include "tests/support/status_matchers.h"

namespace reprise::journal::testing {

class JournalFolder {
 public:
  JournalFolder() {
    std::string name = std::filesystem::temp_directory_path() / "journal-test-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~JournalFolder() { std::filesystem::remove_all(folder_); }
  std::filesystem::path File() const { return folder_ / "journal.db"; }

  // As somebody would who does not go through the journal.
  void Tamper(const std::string& sql) const {
    auto database = sqlite::Database::Open(File(), sqlite::Database::Mode::kReadWrite);
    ASSERT_OK(database);
    ASSERT_OK(database->Execute(sql));
  }

 private:
  std::filesystem::path folder_;
};

// Legal in any state.
inline v1::Event StartedEvent(int64_t at) {
  v1::Event event;
  event.set_at_ms(at);
  event.set_actor("coordinator");
  event.mutable_coordinator_started()->set_version("test");
  return event;
}

inline std::vector<v1::Event> StartedEvents(int64_t first, int64_t count) {
  std::vector<v1::Event> events;
  for (int64_t i = 0; i < count; ++i) events.push_back(StartedEvent(first + i));
  return events;
}

}  // namespace reprise::journal::testing
