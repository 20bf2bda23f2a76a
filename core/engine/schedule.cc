#include "core/engine/schedule.h"

namespace reprise::engine {

void Schedule::Clear() {
  runs_.clear();
  timers_.clear();
}

Schedule::StageSlots& Schedule::StageOf(uint64_t run, uint32_t stage) {
  if (runs_.size() < run) runs_.resize(run);
  auto& stages = runs_[run - 1].stages;
  if (stages.size() <= stage) stages.resize(stage + 1);
  return stages[stage];
}

Schedule::Slot& Schedule::SlotOf(const TargetId& id) {
  auto& targets = StageOf(id.run, id.stage).targets;
  if (targets.size() <= id.target) targets.resize(id.target + 1);
  return targets[id.target];
}

void Schedule::SetReady(const TargetId& id, const ReadyClass& ready_class) {
  Slot& slot = SlotOf(id);
  if (slot.ready && slot.ready_class == ready_class) return;
  SetNotReady(id);
  slot.ready = true;
  slot.ready_class = ready_class;
  StageOf(id.run, id.stage).ready[ready_class].insert(id.target);
}

void Schedule::SetNotReady(const TargetId& id) {
  Slot& slot = SlotOf(id);
  if (!slot.ready) return;
  slot.ready = false;
  ReadySet& ready = StageOf(id.run, id.stage).ready;
  const auto found = ready.find(slot.ready_class);
  found->second.erase(id.target);
  if (found->second.empty()) ready.erase(found);
}

const ReadySet& Schedule::Ready(uint64_t run, uint32_t stage) {
  return StageOf(run, stage).ready;
}

void Schedule::SetTimer(const TargetId& id, UnixMs& wake, UnixMs at) {
  if (wake == at) return;
  if (wake != kNever) timers_.erase({wake, id});
  wake = at;
  if (wake != kNever) timers_.insert({wake, id});
}

void Schedule::WakeAt(const TargetId& id, UnixMs at) {
  SetTimer(id, SlotOf(id).wake, at);
}

void Schedule::WakeRunAt(uint64_t run, UnixMs at) {
  if (runs_.size() < run) runs_.resize(run);
  SetTimer({run, kWholeRun, 0}, runs_[run - 1].wake, at);
}

bool Schedule::TakeDue(UnixMs now, TargetId* due) {
  if (timers_.empty() || timers_.begin()->first > now) return false;
  *due = timers_.begin()->second;
  if (due->stage == kWholeRun) {
    WakeRunAt(due->run, kNever);
  } else {
    WakeAt(*due, kNever);
  }
  return true;
}

}  // namespace reprise::engine
