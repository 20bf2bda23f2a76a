// Every row of every table of moves is taken somewhere in the simulations: a row that never is would be a lie, or a
// hole in the simulation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <tuple>

#include "core/engine/engine.h"
#include "core/model/moves.h"
#include "core/model/names.h"
#include "tests/sim/simulation.h"

namespace reprise::sim {
namespace {

using journal::v1::Event;
using journal::v1::TargetRecord;
using model::NameOf;

class Rows {
 public:
  // Applies the event, and notes which rows that took.
  void Take(engine::Engine& engine, const Event& event) {
    const uint64_t id = RunOf(event);
    const journal::v1::RunRecord before =
        id == 0 || engine.FindRun(id) == nullptr ? journal::v1::RunRecord() : *engine.FindRun(id);
    ASSERT_TRUE(engine.Apply(event).ok());
    retried_waves_.clear();
    if (id == 0 || before.id() == 0) return;
    event_ = &event;
    const journal::v1::RunRecord& after = *engine.FindRun(id);
    NoteRun(before);
    for (int g = 0; g < before.gates_size(); ++g) NoteGate(before.gates(g), after.gates(g));
    for (int s = 0; s < before.stages_size(); ++s) {
      NoteStage(s, before.stages(s), after.stages(s));
      for (int w = 0; w < before.stages(s).waves_size(); ++w) {
        NoteWave(s, w, before.stages(s).waves(w), after.stages(s).waves(w));
      }
      for (int t = 0; t < before.stages(s).targets_size(); ++t) {
        NoteTarget(static_cast<uint32_t>(s), before.stages(s).targets(t), after.stages(s).targets(t));
      }
    }
  }
  std::vector<std::string> NotTaken() const {
    std::vector<std::string> rows;
    for (const std::string& machine : model::MachineNames()) {
      for (const auto& move : model::MovesOf(machine)) {
        const std::string row = machine + ": " + move.from + ", " + move.event;
        // An agent that never says that it has the task, and ends it when the run is aborted: see failures_test.cc.
        if (row == "task: dispatched, cancelled") continue;
        if (!taken_.contains({machine, move.from, move.event})) {
          rows.push_back(row);
        }
      }
    }
    return rows;
  }

 private:
  static uint64_t RunOf(const Event& event) {
    const auto* kind = event.GetDescriptor()->FindFieldByNumber(static_cast<int>(event.kind_case()));
    const auto& message = event.GetReflection()->GetMessage(event, kind);
    const auto* field = message.GetDescriptor()->FindFieldByName("run");
    return field == nullptr ? 0 : message.GetReflection()->GetUInt64(message, field);
  }
  void Note(const std::string& machine, const std::string& from, const std::string& word) {
    taken_.insert({machine, from, word});
  }
  void NoteRun(const journal::v1::RunRecord& before) {
    const std::string from = NameOf(before.state());
    if (event_->has_run_paused()) Note("run", from, "paused");
    if (event_->has_run_resumed()) Note("run", from, "resumed");
    if (event_->has_run_aborting()) Note("run", from, "aborting");
    if (event_->has_run_catching_up()) Note("run", from, "catching_up");
    if (event_->has_run_retried()) Note("run", from, "retried");
    if (event_->has_run_ended()) Note("run", from, NameOf(event_->run_ended().state()));
  }
  void NoteGate(const journal::v1::GateRecord& before, const journal::v1::GateRecord& after) {
    if (before.state() != after.state()) Note("gate", NameOf(before.state()), NameOf(after.state()));
  }
  void NoteStage(int s, const journal::v1::StageRecord& before, const journal::v1::StageRecord& after) {
    const std::string from = NameOf(before.state());
    if (event_->has_run_retried()) {
      for (const auto& ref : event_->run_retried().targets()) {
        if (static_cast<int>(ref.stage()) == s) Note("stage", from, "retried");
      }
    } else if (before.state() != after.state() && event_->has_stage_repeated()) {
      Note("stage", from, "retried");
    } else if (before.state() != after.state()) {
      Note("stage", from, event_->has_stage_started() ? "started" : NameOf(after.state()));
    }
  }
  void NoteWave(int s, int w, const journal::v1::WaveRecord& before, const journal::v1::WaveRecord& after) {
    const std::string from = NameOf(before.state());
    if (event_->has_run_retried()) {
      retried_waves_.insert({s, w, from});  // Noted with its targets below.
    } else if (before.state() != after.state() && event_->has_stage_repeated()) {
      Note("wave", from, "retried");
    } else if (before.state() != after.state()) {
      Note("wave", from,
           event_->has_wave_started()  ? "started"
           : event_->has_run_resumed() ? "resumed"
                                       : NameOf(after.state()));
    }
  }
  void NoteTarget(uint32_t s, const TargetRecord& before, const TargetRecord& after) {
    if (before.SerializeAsString() == after.SerializeAsString()) return;
    const std::string state = NameOf(before.state()), task = NameOf(before.task());
    if (event_->has_run_retried()) {
      Note("target", state, "retried");
      Note("task", task, "retried");
      for (const auto& [stage, wave, from] : retried_waves_) {
        if (stage == static_cast<int>(s) && wave == static_cast<int>(before.wave())) Note("wave", from, "retried");
      }
      return;
    }
    if (event_->has_stage_repeated()) {
      Note("target", state, "retried");
      Note("task", task, "retried");
      return;
    }
    if (before.state() != after.state()) Note("target", state, WordFor(before.state(), after.state()));
    if (event_->has_task_dispatched()) Note("task", task, "dispatched");
    if (event_->has_task_accepted()) Note("task", task, "accepted");
    if (event_->has_task_lost()) Note("task", task, "lost");
    if (event_->has_target_moved() && before.task() != after.task()) Note("task", task, NameOf(after.task()));
    if (event_->has_task_finished()) {
      const auto ended = event_->task_finished().task_state();
      Note("task", task,
           ended == model::v1::TASK_STATE_PENDING       ? "released"
           : ended == model::v1::TASK_STATE_BACKING_OFF ? "backed_off"
                                                        : NameOf(ended));
      if (event_->task_finished().has_next()) Note("task", NameOf(ended), "next");
    }
  }
  static std::string WordFor(model::v1::TargetState from, model::v1::TargetState to) {
    switch (to) {
      case model::v1::TARGET_STATE_ACTIVE:
        return "started";
      case model::v1::TARGET_STATE_ROLLING_BACK:
        return "undoing";
      case model::v1::TARGET_STATE_ROLLED_BACK:
        return "undone";
      case model::v1::TARGET_STATE_WAITING:
        return from == model::v1::TARGET_STATE_DEFERRED ? "returned" : "released";
      default:
        return NameOf(to);
    }
  }

  const Event* event_ = nullptr;
  std::set<std::tuple<std::string, std::string, std::string>> taken_;
  std::set<std::tuple<int, int, std::string>> retried_waves_;
};

TEST(MovesTaken, AreAllRowsOfAllTables) {
  Rows rows;
  uint64_t seed = 1;
  std::vector<std::string> left;
  for (; seed <= 2000 && !rows.NotTaken().empty(); ++seed) {
    left = rows.NotTaken();
    const Outcome outcome = Simulate(seed);
    engine::Engine engine;
    for (const std::string& payload : outcome.journal) {
      Event event;
      ASSERT_TRUE(event.ParseFromString(payload));
      rows.Take(engine, event);
    }
  }
  EXPECT_THAT(rows.NotTaken(), ::testing::IsEmpty());
  std::printf("%llu seeds; the last row taken: %s\n", static_cast<unsigned long long>(seed), left.front().c_str());
}

}  // namespace
}  // namespace reprise::sim
