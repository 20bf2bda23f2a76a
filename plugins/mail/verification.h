// Whether source and target have the same: both are listed and read anew, each message's bytes hashed on both sides. The ledger says
// only which message of the one should be which of the other. Changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/mail/ledger.h"
#include "plugins/mail/migration_options.h"
#include "plugins/mail/store.h"

namespace reprise::mail {

struct VerifyCounts {
  uint64_t folders = 0, messages = 0, bytes = 0;  // Of the source.
  uint64_t same = 0;               // As they should be, in all that was looked at.
  uint64_t read = 0;               // Whose bytes were read on both sides.
  uint64_t missing_folders = 0, unsubscribed = 0;
  uint64_t renumbered = 0;         // Folders that either side numbered anew: nothing can be said of them before the next pass.
  uint64_t fresh = 0;              // In the source, and not copied yet.
  uint64_t missing = 0;            // Copied, and not in the target.
  uint64_t differ = 0;             // Other bytes.
  uint64_t not_read = 0;           // That either side lists and does not give.
  uint64_t flags = 0, dates = 0;   // Other flags, another INTERNALDATE.
  uint64_t doubled = 0;            // More often in the target than in the source.
  uint64_t out_of_order = 0;       // Behind one that came later: told, no fault of a message.
  uint64_t foreign = 0;            // In the target only, and of no message of the source.
  uint64_t kept = 0;               // No more in the source, and left in the target.
  uint64_t infected = 0, not_scanned = 0, failed = 0;  // Not appended, and why.

  // Nothing is missing, changed or doubled; infected ones are in quarantine, which is where they should be.
  bool holds() const {
    return sound() && missing_folders + unsubscribed + fresh + flags + not_scanned + failed == 0;
  }
  // What was copied is there once, as it was; while people still work in the source, more may come and be read.
  bool sound() const { return renumbered + missing + differ + not_read + dates + doubled == 0; }
  void Add(const VerifyCounts& other);
  // "60 messages the same, 1 missing"
  std::string Shown() const;
  std::string InFrench() const;
};

struct VerifyOptions {
  // Of how many the bytes are read on both sides: every `one_in`th; 1: all of them, 0: none.
  uint64_t one_in = 1;
  bool fold_case = false;
  uint32_t list_window = 500;
  size_t read_window = 64;
};

VerifyCounts VerifyBox(Source& source, Target& target, const Ledger* ledger, const VerifyOptions& options, const Watch& watch);

// What a pass would find to do, from the source's listing alone: no byte of a message is read. `ledger` may be none.
struct Difference {
  uint64_t source_messages = 0, source_bytes = 0;
  uint64_t to_copy = 0, bytes = 0, flags = 0, vanished = 0;
  uint64_t there = 0;  // In the target, as the ledger knows.
  bool none() const { return to_copy + flags + vanished == 0; }
};
Difference DifferenceOf(Source& source, const Ledger* ledger, uint32_t list_window, const Watch& watch);

}  // namespace reprise::mail
