#include "plugins/mail/batch_box.h"

#include <algorithm>
#include <thread>

#include "plugins/mail/imap_errors.h"
#include "plugins/mail/migration_closing.h"
#include "plugins/sdk/sha256.h"

namespace reprise::mail {
namespace {

namespace fs = std::filesystem;
using sdk::Error;
using std::chrono::milliseconds;

constexpr int kPassesMax = 6;  // A box to which mail still comes never comes to rest.

void Wait(milliseconds time, const Watch& watch) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
    watch.check();
    std::this_thread::sleep_for(std::min(milliseconds(50), time));
  }
}

void Add(MoveCounts& sum, const MoveCounts& more) {
  for (uint64_t MoveCounts::*count : {&MoveCounts::folders, &MoveCounts::copied, &MoveCounts::bytes, &MoveCounts::adopted, &MoveCounts::flags,
                                      &MoveCounts::removed, &MoveCounts::twins}) {
    sum.*count += more.*count;
  }
  // Seen again by each pass.
  sum.virtuals = more.virtuals, sum.held = more.held, sum.failed = more.failed, sum.vanished = more.vanished, sum.kept = more.kept;
  sum.flags_refused = more.flags_refused, sum.folders_refused = more.folders_refused;
  sum.again = more.again;
}

class Mover {
 public:
  Mover(const Box& box, const Stores& stores, const BoxOptions& options, const Watch& watch, Ledger& ledger, BoxResult& result)
      : stores_(stores), options_(options), watch_(watch), ledger_(ledger), result_(result) {
    result_.box = box;
  }

  // One try, over new connections.
  void Try() {
    const auto source = stores_.source(result_.box);
    const auto target = stores_.target(result_.box);
    if (options_.cut_over) {
      CutOver(*source, *target);
      return;
    }
    const MoveCounts counts = Pass(*source, *target);
    if (counts.again) Pass(*source, *target);
    Settled(BoxState::kPrestaged);
  }

 private:
  MoveCounts Pass(Source& source, Target& target) {
    Migration migration(source, target, ledger_, options_.move, watch_);
    const MoveCounts counts = migration.Pass();
    Add(result_.moved, counts);
    result_.many_vanished = migration.many_vanished();
    return counts;
  }

  void CutOver(Source& source, Target& target) {
    if (options_.closing == Closing::kAcl) Close(source);
    int passes = 0;
    while (Pass(source, target).changes() > 0) {
      if (++passes >= kPassesMax) throw Error("still_receiving", "mail still comes into the source, or changes there", "close it, then run this step again");
    }
    // The second look: whoever closed it, nothing came since the first.
    if (options_.closing != Closing::kReadOnly) {
      Wait(options_.quiet, watch_);
      const Difference since = DifferenceOf(source, &ledger_, options_.move.list_window, watch_);
      if (since.to_copy > NotTaken()) throw Error("still_receiving", "mail came into the source between two looks", "close it, then run this step again");
    }
    const VerifyOptions look{options_.one_in, options_.move.fold_case, options_.move.list_window};
    result_.verified = VerifyBox(source, target, &ledger_, look, watch_);
    ledger_.Commit([&] { ledger_.SetNote("verified", result_.verified->Shown()); });
    if (result_.verified->holds() && !result_.many_vanished) ledger_.Commit([&] { ledger_.MarkVerified(); });
    Settled(BoxState::kCutOver);
  }

  void Close(Source& source) {
    for (const Folder& folder : source.Folders()) {
      if (!folder.selectable) continue;
      watch_.check();
      if (!IsClosedToNewMail(source, folder.path)) CloseToNewMail(source, folder.path);
      if (!IsClosedToNewMail(source, folder.path)) throw Error("not_closed", "the source says that a folder is still open to new mail");
    }
  }

  // What a pass tries again and again.
  uint64_t NotTaken() const {
    auto held = ledger_.Notes(MessageState::kHeld);
    return ledger_.Tallies()[size_t(MessageState::kFailed)].messages + held["not_scanned"];
  }

  // A box is not through while a message of it is not.
  void Settled(BoxState state) {
    result_.state = state;
    const auto failed = ledger_.Notes(MessageState::kFailed), held = ledger_.Notes(MessageState::kHeld);
    if (!failed.empty()) Fail(failed.begin()->first);
    else if (held.contains("not_scanned")) Fail("not_scanned");
    else if (result_.many_vanished) Fail("many_vanished");
    else if (result_.moved.folders_refused > 0) Fail("folder_refused");
    else if (result_.moved.flags_refused > 0) Fail("flags_refused");
    else if (result_.verified && !result_.verified->holds()) Fail("differs");
  }
  void Fail(const std::string& why) {
    result_.state = BoxState::kFailed;
    result_.why = why;
  }

  const Stores& stores_;
  const BoxOptions& options_;
  const Watch& watch_;
  Ledger& ledger_;
  BoxResult& result_;
};

bool EndsTheVerb(const std::string& code) { return code == "cancelled" || code == "timed_out" || code == "disk_full"; }

Ledger OpenLedger(const fs::path& state, const Box& box) {
  fs::create_directories(state);
  fs::permissions(state, fs::perms::owner_all);
  return Ledger::OpenToWrite(LedgerFile(state, box));
}

}  // namespace

fs::path LedgerFile(const fs::path& state, const Box& box) { return state / (box.Hash() + ".ledger"); }

BoxResult BoxAsKnown(const fs::path& state, const Box& box, const fs::path& scratch) {
  BoxResult result;
  result.box = box;
  if (!box.excluded.empty()) {
    result.state = BoxState::kExcluded;
    return result;
  }
  const auto ledger = Ledger::OpenToRead(LedgerFile(state, box), scratch);
  if (!ledger) return result;
  const std::string known = ledger->Note("state").value_or("");
  const auto at = std::find(kBoxStates.begin(), kBoxStates.end(), known);
  if (at != kBoxStates.end()) result.state = static_cast<BoxState>(at - kBoxStates.begin());
  result.why = ledger->Note("why").value_or("");
  result.unscanned = ledger->Note(kUnscanned).has_value();
  return result;
}

milliseconds PauseBefore(int failures, const std::string& box_hash, milliseconds least, milliseconds most) {
  int64_t pause = least.count();
  for (int i = 1; i < failures && pause < most.count(); ++i) pause *= 2;
  pause = std::min(pause, most.count());
  // Half of it certain, half by the box and the try.
  const std::string hash = sdk::Sha256OfText(box_hash + std::to_string(failures));
  const int64_t share = std::stoll(hash.substr(0, 4), nullptr, 16);
  return milliseconds(pause / 2 + pause / 2 * share / 0xFFFF);
}

BoxResult MoveBox(const Box& box, const Stores& stores, const BoxOptions& options, const Watch& watch) {
  BoxResult result;
  result.box = box;
  if (!box.excluded.empty()) {
    result.state = BoxState::kExcluded;
    return result;
  }
  std::optional<Ledger> ledger;
  try {
    ledger.emplace(OpenLedger(options.state, box));
  } catch (const Error& error) {
    if (EndsTheVerb(error.code())) throw;
    result.state = BoxState::kFailed;
    result.why = error.code();
    return result;
  }
  const auto keep = [&] {
    ledger->Commit([&] {
      ledger->SetNote("state", NameOf(result.state));
      ledger->SetNote("why", result.why);
    });
  };
  // What was cut over has its new life in the target: nothing of the source may change it any more.
  if (ledger->Note("state") == NameOf(BoxState::kCutOver)) {
    result.state = BoxState::kCutOver;
    result.unscanned = ledger->Note(kUnscanned).has_value();
    return result;
  }
  result.state = BoxState::kSyncing;
  keep();
  BoxOptions mine = options;
  mine.move.spool = options.state;
  mine.move.box_hash = box.Hash();
  mine.move.suspects = std::make_shared<Suspects>();
  uint64_t moved_before = 0, guilty_before = 0;
  int failures = 0;
  for (;;) {
    try {
      Mover(box, stores, mine, watch, *ledger, result).Try();
      break;
    } catch (const Error& error) {
      if (EndsTheVerb(error.code())) throw;
      // A try that brought something is no failure in a row, if it was not for what it only looked at again.
      const uint64_t there = ledger->Tallies()[size_t(MessageState::kCopied)].messages;
      const uint64_t guilty = mine.move.suspects->guilty();
      failures = there > moved_before || guilty > guilty_before ? 1 : failures + 1;
      moved_before = std::max(moved_before, there), guilty_before = guilty;
      const auto* told = dynamic_cast<const StoreError*>(&error);
      if (error.code() == "limited") watch.limited();
      if (told != nullptr) result.said = told->said();
      // A folder that went while it was on its way, or was numbered anew: the next try sees what there is.
      const bool moved_on = error.code() == "renumbered" || error.code() == "no_folder";
      const Again again = moved_on ? Again::kReconnect : WhetherAgain(error.code());
      if (again == Again::kNever || again == Again::kNewSecret || failures >= options.tries_max) {
        result.state = BoxState::kFailed;
        result.why = error.code();
        break;
      }
      milliseconds pause = PauseBefore(failures, mine.move.box_hash, options.pause_min, options.pause_max);
      if (told != nullptr) pause = std::max(pause, told->suggested_wait());
      Wait(pause, watch);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::system_error& error) {
      if (error.code() == std::errc::no_space_on_device) throw;
      result.state = BoxState::kFailed;
      result.why = "system";
      break;
    }
  }
  keep();
  result.unscanned = ledger->Note(kUnscanned).has_value();
  return result;
}

}  // namespace reprise::mail
