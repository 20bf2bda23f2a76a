// The state of an interface as this host has it: durable, with how it came to be. No record: CUT. A record that cannot be read
// is an error and never "open".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/lis/moves.h"
#include "plugins/sdk/notes.h"

namespace reprise::lis {

struct MadeMove {
  InterfaceState from, to;
  int64_t at_unix_s = 0;
  std::string decision;       // Which decision of people it carries out.
  int64_t until_before = 0;   // When supervision would have ended before this move; 0: there was none.
};

struct InterfaceRecord {
  InterfaceState state = InterfaceState::kCut;
  int64_t since_unix_s = 0;
  int64_t until_unix_s = 0;         // Of a supervised period; 0: none.
  int64_t supervised_unix_s = 0;    // When the first supervised period since the last cut began; 0: never.
  std::vector<MadeMove> history;    // The newest last.

  // "open_supervised since 2022-09-07 14:00 UTC, until …"
  std::string Shown() const;
};

// Throws Error "notes_broken".
InterfaceRecord ReadRecord(const sdk::Notes& notes, const std::string& interface);
// Returns once it is durable.
void WriteRecord(const sdk::Notes& notes, const std::string& interface, const InterfaceRecord& record);

// The record after this move. REQUIRES: IsLegal(record.state, to).
InterfaceRecord Moved(const InterfaceRecord& record, InterfaceState to, int64_t now_unix_s, int64_t supervised_for_s,
                      const std::string& decision);
// The record before its last move, which led to its state. REQUIRES: there is one.
InterfaceRecord Unmoved(const InterfaceRecord& record);

// "2022-09-07 14:00:00 UTC"
std::string ShownTime(int64_t unix_s);

}  // namespace reprise::lis
