#include "core/cli/commands/run_view.h"

#include <ostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/text.h"
#include "core/cli/commands/evidence_view.h"
#include "core/model/names.h"
#include "core/report/advice.h"

namespace reprise::cli {
namespace {

using model::v1::TargetState;

bool IsTroubled(const ops::TargetView& target) {
  switch (target.state()) {
    case model::v1::TARGET_STATE_SUCCEEDED:
      return false;
    case model::v1::TARGET_STATE_WAITING:
      return !target.reason().empty() || !target.code().empty();  // Not just its turn: something holds it back.
    case model::v1::TARGET_STATE_ACTIVE:
      return !target.reason().empty();  // Failed before, and tried again.
    default:
      return true;
  }
}

// What its stage waits for holds back every host of it, and stands in none of them.
std::string StageWaits(const ops::RunView& run, const ops::TargetView& target) {
  const bool waits = target.state() == model::v1::TARGET_STATE_WAITING || target.state() == model::v1::TARGET_STATE_DEFERRED;
  for (const auto& stage : run.stages()) {
    if (waits && stage.name() == target.stage() && !stage.waits_for().empty()) {
      return absl::StrCat("its stage waits for ", absl::StrJoin(stage.waits_for(), "; "));
    }
  }
  return "";
}

std::string Because(const ops::RunView& run, const ops::TargetView& target) {
  std::string text = target.reason().empty() ? target.code() : target.reason();
  if (!target.reason().empty() && !target.code().empty()) absl::StrAppend(&text, " (", target.code(), ")");
  if (!target.hint().empty()) absl::StrAppend(&text, text.empty() ? "" : "; ", "try: ", target.hint());
  if (target.state() == model::v1::TARGET_STATE_ACTIVE && target.has_progress() && text.empty()) {
    text = absl::StrCat(model::NameOf(target.progress().verb()), " ", target.progress().text());
  }
  return text.empty() ? StageWaits(run, target) : text;
}

std::vector<Cell> CountCells(const ops::TargetCounts& counts) {
  const auto number = [](uint32_t count, Color color) {
    return count == 0 ? Cell("-", Color::kDim) : Cell(absl::StrCat(count), color);
  };
  return {Cell(absl::StrCat(counts.succeeded(), "/", counts.total())),
          number(counts.failed(), Color::kBad),
          number(counts.active(), Color::kBusy),
          number(counts.waiting(), Color::kNone),
          number(counts.deferred(), Color::kWarning),
          number(counts.skipped() + counts.cancelled() + counts.expired(), Color::kWarning)};
}

void AddCounts(std::vector<Cell>& row, const ops::TargetCounts& counts) {
  for (Cell& cell : CountCells(counts)) row.push_back(std::move(cell));
}

// "3 min 20 s" of a wave that began, until now when it has not ended.
std::string Took(Context& context, const ops::WaveView& wave) {
  if (wave.started_ms() == 0) return "";
  const int64_t until = wave.ended_ms() != 0 ? wave.ended_ms() : context.clock.Now();
  const int64_t seconds = std::max<int64_t>(0, until - wave.started_ms()) / 1000;
  return FormatDurationMs(seconds * 1000);
}

}  // namespace

Cell StateCell(model::v1::RunState state) {
  switch (state) {
    case model::v1::RUN_STATE_SUCCEEDED:
      return {model::NameOf(state), Color::kGood};
    case model::v1::RUN_STATE_PARTIAL:
    case model::v1::RUN_STATE_PAUSED:
    case model::v1::RUN_STATE_CATCHING_UP:
      return {model::NameOf(state), Color::kWarning};
    case model::v1::RUN_STATE_RUNNING:
      return {model::NameOf(state), Color::kBusy};
    default:
      return {model::NameOf(state), Color::kBad};
  }
}

Cell StateCell(model::v1::StageState state) {
  switch (state) {
    case model::v1::STAGE_STATE_RUNNING:
      return {model::NameOf(state), Color::kBusy};
    case model::v1::STAGE_STATE_GATED:
      return {model::NameOf(state), Color::kWarning};
    default:
      return {model::NameOf(state)};
  }
}

Cell StateCell(model::v1::WaveState state) {
  switch (state) {
    case model::v1::WAVE_STATE_RUNNING:
      return {model::NameOf(state), Color::kBusy};
    case model::v1::WAVE_STATE_GATED:
      return {model::NameOf(state), Color::kWarning};
    case model::v1::WAVE_STATE_BREACHED:
      return {model::NameOf(state), Color::kBad};
    default:
      return {model::NameOf(state)};
  }
}

Cell StateCell(model::v1::GateState state) {
  switch (state) {
    case model::v1::GATE_STATE_READY:
      return {model::NameOf(state), Color::kWarning};
    case model::v1::GATE_STATE_PASSED:
      return {model::NameOf(state), Color::kGood};
    case model::v1::GATE_STATE_WAIVED:
      return {model::NameOf(state), Color::kWarning};
    default:
      return {model::NameOf(state)};
  }
}

Cell StateCell(model::v1::TargetState state) {
  switch (state) {
    case model::v1::TARGET_STATE_SUCCEEDED:
      return {model::NameOf(state), Color::kGood};
    case model::v1::TARGET_STATE_FAILED:
    case model::v1::TARGET_STATE_ROLLED_BACK:
    case model::v1::TARGET_STATE_ROLLING_BACK:
      return {model::NameOf(state), Color::kBad};
    case model::v1::TARGET_STATE_ACTIVE:
      return {model::NameOf(state), Color::kBusy};
    case model::v1::TARGET_STATE_WAITING:
      return {model::NameOf(state)};
    default:
      return {model::NameOf(state), Color::kWarning};
  }
}

uint32_t Ended(const ops::TargetCounts& counts) {
  return counts.succeeded() + counts.failed() + counts.skipped() + counts.cancelled() + counts.expired();
}

std::string CountsText(const ops::TargetCounts& counts) {
  std::string text = absl::StrCat(counts.succeeded(), " of ", counts.total(), " succeeded");
  const auto add = [&](uint32_t count, const char* word) {
    if (count > 0) absl::StrAppend(&text, ", ", count, " ", word);
  };
  add(counts.failed(), "failed");
  add(counts.active(), "at work");
  add(counts.waiting(), "waiting");
  add(counts.deferred(), "deferred");
  add(counts.skipped(), "skipped");
  add(counts.cancelled(), "cancelled");
  add(counts.expired(), "expired");
  return text;
}

std::string GatePlace(const ops::RunView& run, const ops::GateView& gate) {
  if (gate.wave() < 0) return absl::StrCat("before stage ", gate.stage());
  for (const auto& stage : run.stages()) {
    if (stage.name() == gate.stage() && gate.wave() < stage.waves_size()) {
      return absl::StrCat("before ", gate.stage(), "/", stage.waves(gate.wave()).name());
    }
  }
  return absl::StrCat("before wave ", gate.wave(), " of stage ", gate.stage());
}

void PrintRunHead(Context& context, const ops::RunView& run) {
  const Cell state = StateCell(run.state());
  context.Say(absl::StrCat("run ", run.id(), "  ", run.workflow(), "  ",
                           context.terminal.Paint(state.text, state.color), run.exercise() ? "  (exercise)" : "",
                           run.round() > 1 ? absl::StrCat("  round ", run.round()) : ""));
  context.Say(absl::StrCat("plan ", run.plan_id(), ", started by ", run.started_by(), " at ",
                           FormatTime(run.started_ms()),
                           run.ended_ms() != 0 ? absl::StrCat(", ended ", FormatTime(run.ended_ms()))
                                               : absl::StrCat(", expires ", FormatTime(run.expires_ms()))));
  if (run.state() == model::v1::RUN_STATE_PAUSED) {
    context.Say(context.terminal.Paint(OneLine(absl::StrCat("paused (", run.pause_code(), "): ", run.pause_reason())),
                                       Color::kWarning));
  }
  if (!run.end_reason().empty()) context.Say(OneLine(absl::StrCat("ended because: ", run.end_reason())));
  context.Say(CountsText(run.counts()));
}

void PrintStages(Context& context, const ops::RunView& run) {
  Table table(
      {"STAGE", "WAVE", "STATE", "DONE", "FAILED", "AT WORK", "WAITING", "DEFERRED", "NOT DONE", "TOOK", "NOTE"});
  for (const auto& stage : run.stages()) {
    // A stage of one wave is told in one line.
    if (stage.waves_size() != 1) {
      std::vector<Cell> row = {Cell(stage.name(), Color::kBold), "", StateCell(stage.state())};
      AddCounts(row, stage.counts());
      row.emplace_back("");
      row.emplace_back("");
      table.Add(std::move(row));
    }
    for (const auto& wave : stage.waves()) {
      std::vector<Cell> row = {stage.waves_size() == 1 ? Cell(stage.name(), Color::kBold) : Cell(""), wave.name(),
                               StateCell(wave.state())};
      AddCounts(row, wave.counts());
      row.emplace_back(Took(context, wave));
      row.emplace_back(wave.reason());
      table.Add(std::move(row));
    }
  }
  table.Print(context.terminal, context.cut());
  for (const auto& stage : run.stages()) {
    for (const std::string& unmet : stage.waits_for()) {
      context.Say(context.terminal.Paint(OneLine(absl::StrCat("stage ", stage.name(), " waits for ", unmet)), Color::kWarning));
    }
  }
}

void PrintGates(Context& context, const ops::RunView& run) {
  if (run.gates().empty()) return;
  Table table({"GATE", "WHERE", "STATE", "SIGNED", "QUESTION"});
  for (const auto& gate : run.gates()) {
    table.Add({gate.name(), GatePlace(run, gate), StateCell(gate.state()),
               absl::StrCat(gate.signers_size(), "/", gate.quorum(),
                            gate.signers().empty() ? "" : absl::StrCat(" ", absl::StrJoin(gate.signers(), ", "))),
               gate.question()});
  }
  table.Print(context.terminal, context.cut());
}

void PrintTargets(Context& context, const ops::RunView& run, TargetsShown shown) {
  Table table({"HOST", "WHERE", "STATE", "STEP", "TRY", "WHY"});
  std::vector<const ops::TargetView*> shown_ones;
  for (const auto& target : run.targets()) {
    if (shown == TargetsShown::kTroubled && !IsTroubled(target)) continue;
    const bool over = target.state() == model::v1::TARGET_STATE_SUCCEEDED;
    table.Add({target.host(), absl::StrCat(target.stage(), "/", target.wave()), StateCell(target.state()),
               over ? "" : target.step(), target.attempt() == 0 ? "" : absl::StrCat(target.attempt()),
               Because(run, target)});
    shown_ones.push_back(&target);
  }
  if (!table.empty()) {
    context.Say("");
    table.Print(context.terminal, context.cut());
  }
  if (!context.cut()) PrintEvidence(context, shown_ones);
  if (run.exclusions().empty()) return;
  Table left_out({"LEFT OUT", "STAGE", "RULE", "WHY"});
  for (const auto& exclusion : run.exclusions()) {
    const auto stage = static_cast<int>(exclusion.stage());
    left_out.Add({exclusion.host(), stage < run.stages_size() ? run.stages(stage).name() : "", exclusion.code(),
                  exclusion.reason()});
  }
  context.Say("");
  left_out.Print(context.terminal, context.cut());
}

void PrintNext(Context& context, const ops::RunView& run) {
  const auto next = [&](const std::string& line) { context.Say(absl::StrCat("next: ", line)); };
  for (const auto& gate : run.gates()) {
    if (gate.state() != model::v1::GATE_STATE_READY || run.ended_ms() != 0) continue;
    next(absl::StrCat("gate ", gate.name(), " waits for ",
                      gate.quorum() - std::min<uint32_t>(gate.quorum(), gate.signers_size()),
                      " signature(s): `reprise gate approve ", run.id(), " ", gate.name(), "`"));
  }
  switch (run.state()) {
    case model::v1::RUN_STATE_PAUSED: {
      const std::string accepted = run.counts().failed() > 0 ? " accepts the failures so far" : " goes on";
      if (run.pause_code() == "stop") next("`reprise stop lift` comes first");
      next(absl::StrCat("`reprise run resume ", run.id(), "`", accepted, "; `reprise run abort ", run.id(),
                        "` ends it for good"));
      break;
    }
    case model::v1::RUN_STATE_ABORTING:
    case model::v1::RUN_STATE_ABORTED:
      return;
    default:
      break;
  }
  for (const std::string& line : report::NextSteps(run)) next(OneLine(line));
}

ExitCode ExitCodeOfRun(const ops::RunView& run) {
  switch (run.state()) {
    case model::v1::RUN_STATE_PARTIAL:
      return kExitPartial;
    case model::v1::RUN_STATE_FAILED:
    case model::v1::RUN_STATE_ABORTED:
      return kExitFailure;
    default:
      return kExitOk;
  }
}

}  // namespace reprise::cli
