// Which mailboxes there are, whose they become, and in which batch: a CSV file with the mail lead's names. The names stay in it:
// a box is spoken of by its line, and on disk by a hash.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reprise::mail {

struct Box {
  size_t line = 0;  // In the roster: how people find it without its name being told.
  std::string mailbox, source_user, target_user, batch;
  std::string mover;     // The host that moves it; empty: any.
  std::string excluded;  // Why it is left out; empty: it is not.

  // "line 17"
  std::string Shown() const { return "line " + std::to_string(line); }
  // What its files are called.
  std::string Hash() const;
};

struct Roster {
  std::vector<Box> boxes;

  // Those of `batch` that `mover` moves, excluded ones too, in the roster's order. Throws Error "bad_params" if there is no such batch.
  std::vector<Box> Batch(const std::string& batch, const std::string& mover) const;
};

// The first line names the columns: mailbox, source_user, target_user, batch, and if wanted mover, excluded; any order, separated by
// commas or semicolons. UTF-8. Throws Error "bad_roster" with the line; no name is in the message.
Roster ParseRoster(std::string_view text);

}  // namespace reprise::mail
