// One mailbox of a batch: opened, moved, tried again when the servers ask for it, and what came of it kept in its ledger.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/mail/migration.h"
#include "plugins/mail/roster.h"
#include "plugins/mail/verification.h"

namespace reprise::mail {

// In the words of the trade; the order is that of a move.
enum class BoxState { kListed, kSyncing, kPrestaged, kVerified, kCutOver, kFailed, kExcluded };
inline constexpr std::array<std::string_view, 7> kBoxStates = {"listed", "syncing", "prestaged", "verified", "cut_over", "failed", "excluded"};
inline std::string_view NameOf(BoxState state) { return kBoxStates[static_cast<size_t>(state)]; }

struct BoxResult {
  Box box;
  BoxState state = BoxState::kListed;
  std::string why;   // Of a failed one: a code.
  std::string said;  // What the server said: for the mail lead only.
  MoveCounts moved;
  std::optional<VerifyCounts> verified;
  bool many_vanished = false;
  bool unscanned = false;  // Messages were appended, now or before, that no scanner had looked into.
};

// How the stores of a box are opened.
struct Stores {
  std::function<std::unique_ptr<Source>(const Box&)> source;
  std::function<std::unique_ptr<Target>(const Box&)> target;
};

enum class Closing { kAcl, kReadOnly, kByGate };

struct BoxOptions {
  std::filesystem::path state;  // The mover's folder.
  MoveOptions move;
  bool cut_over = false;
  Closing closing = Closing::kAcl;
  std::chrono::milliseconds quiet{0};  // Between the two looks of a cut over.
  uint64_t one_in = 1;                 // How much a cut over reads on both sides: verification.h.
  int tries_max = 8;                   // In a row, without a message moved.
  std::chrono::milliseconds pause_min{500}, pause_max{60'000};
};

std::filesystem::path LedgerFile(const std::filesystem::path& state, const Box& box);
// What its ledger says; kListed without one. Throws "in_use".
BoxResult BoxAsKnown(const std::filesystem::path& state, const Box& box, const std::filesystem::path& scratch);

// Throws only "cancelled" and "timed_out" of `watch.check`, and "disk_full": all else is the box's own failure.
BoxResult MoveBox(const Box& box, const Stores& stores, const BoxOptions& options, const Watch& watch);

// How long to wait before the try after `failures` ones in a row: doubling, with a jitter that differs from box to box so that they
// do not all come back at once. Pure.
std::chrono::milliseconds PauseBefore(int failures, const std::string& box_hash, std::chrono::milliseconds least, std::chrono::milliseconds most);

}  // namespace reprise::mail
