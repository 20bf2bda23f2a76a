// How a mailbox is moved, what is told meanwhile, and what came of it. Plain values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "plugins/mail/suspects.h"

namespace reprise::mail {

class Scanner;
class Quarantine;

// What follows from a message that is no more in the source after it was copied.
enum class Deletions {
  kKeep,
  kFollow,     // It goes from the target too, unless suspiciously many do at once.
  kFollowAll,  // However many.
};

struct MoveOptions {
  Deletions deletions = Deletions::kFollow;
  bool fold_case = false;            // The target takes "Sent" and "SENT" for one folder.
  size_t window_messages = 100;      // Appended between two commits, at most.
  uint64_t window_bytes = 8 << 20;
  uint32_t list_window = 500;        // Messages listed at a time, about.
  std::filesystem::path spool;       // Where large messages wait.
  std::string box_hash;
  std::function<void(size_t messages)> pace = [](size_t) {};  // Waits until so many more may be appended.
  Scanner* scanner = nullptr;        // None: nothing is scanned.
  Quarantine* quarantine = nullptr;  // With a scanner.
  std::shared_ptr<Suspects> suspects = std::make_shared<Suspects>();  // One box's.
};

// Counts of one pass.
struct MoveCounts {
  uint64_t folders = 0, virtuals = 0;
  uint64_t folders_refused = 0;  // Which the target cannot have.
  uint64_t copied = 0, bytes = 0;
  uint64_t adopted = 0;  // Found in the target: not copied.
  uint64_t flags = 0;    // Messages whose flags were changed in the target.
  uint64_t flags_refused = 0;  // Which the target does not let be changed.
  uint64_t vanished = 0, removed = 0, kept = 0;  // In the source; of them, taken from the target, or left there.
  uint64_t held = 0, failed = 0;

  uint64_t twins = 0;    // Appends that came late, after the message had been appended again: taken away.
  bool again = false;    // Such a one may still come: look once more.

  uint64_t changes() const { return folders + copied + adopted + flags + removed + twins; }
};

// How a move speaks to whoever waits for it.
struct Watch {
  std::function<void()> check = [] {};                                              // Throws "cancelled", "timed_out".
  std::function<void(uint64_t messages, uint64_t bytes)> moved = [](uint64_t, uint64_t) {};  // So many more are done.
  std::function<void()> limited = [] {};                                                    // A server asked for less.
};

}  // namespace reprise::mail
