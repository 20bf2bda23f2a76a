// What could be sent, and when time alone will change something. Derived from the book, never journalled; the same
// book gives the same schedule, whatever happened in between.
// Internal to core/engine.
#pragma once

#include <compare>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "core/base/clock.h"
#include "core/engine/book.h"

namespace reprise::engine {

inline constexpr UnixMs kNever = std::numeric_limits<UnixMs>::max();

// Targets that wait for the same: all of one class need the same tokens, and a place or none.
struct ReadyClass {
  bool needs_place = false;  // Those that hold a place go first.
  uint32_t step = 0;
  bool rollback = false;
  auto operator<=>(const ReadyClass&) const = default;
};

using ReadySet = std::map<ReadyClass, absl::btree_set<uint32_t>>;

class Schedule {
 public:
  void Clear();

  void SetReady(const TargetId& id, const ReadyClass& ready_class);
  void SetNotReady(const TargetId& id);
  // The ready targets of a stage, in the order in which they are to be served.
  const ReadySet& Ready(uint64_t run, uint32_t stage);

  void WakeAt(const TargetId& id, UnixMs at);  // kNever: not at all.
  // Of a run as a whole: the expiry of its plan.
  void WakeRunAt(uint64_t run, UnixMs at);
  UnixMs NextWake() const { return timers_.empty() ? kNever : timers_.begin()->first; }
  // Takes out what is due. A run as a whole is the one whose stage is kWholeRun.
  bool TakeDue(UnixMs now, TargetId* due);

  static constexpr uint32_t kWholeRun = std::numeric_limits<uint32_t>::max();

 private:
  struct Slot {
    bool ready = false;
    ReadyClass ready_class;
    UnixMs wake = kNever;
  };
  struct StageSlots {
    std::vector<Slot> targets;
    ReadySet ready;
  };
  struct RunSlots {
    std::vector<StageSlots> stages;
    UnixMs wake = kNever;
  };
  StageSlots& StageOf(uint64_t run, uint32_t stage);
  Slot& SlotOf(const TargetId& id);
  void SetTimer(const TargetId& id, UnixMs& wake, UnixMs at);

  std::vector<RunSlots> runs_;  // runs_[id - 1]
  absl::btree_set<std::pair<UnixMs, TargetId>> timers_;
};

}  // namespace reprise::engine
