#include "core/cli/commands/run_watcher.h"

#include <algorithm>
#include <optional>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/run_view.h"
#include "core/cli/progress_bar.h"
#include "core/model/names.h"

namespace reprise::cli {
namespace {

std::string GateLine(const ops::RunView& run, const ops::GateView& gate) {
  if (gate.state() == model::v1::GATE_STATE_READY) {
    return absl::StrCat("gate ", gate.name(), " (", GatePlace(run, gate), ") waits for people, ", gate.signers_size(),
                        " of ", gate.quorum(), " signed: ", gate.question(), "  ->  `reprise gate approve ", run.id(),
                        " ", gate.name(), "`");
  }
  return absl::StrCat("gate ", gate.name(), " is ", model::NameOf(gate.state()));
}

std::string StateLine(const ops::RunView& run) {
  std::string line = absl::StrCat("run ", run.id(), " is ", model::NameOf(run.state()));
  if (run.state() == model::v1::RUN_STATE_PAUSED) {
    absl::StrAppend(&line, " (", run.pause_code(), "): ", run.pause_reason(), "  ->  `reprise run resume ", run.id(),
                    "`");
  } else if (!run.end_reason().empty()) {
    absl::StrAppend(&line, ": ", run.end_reason());
  }
  return line;
}

// Why a stage that has begun does not get on; one whose turn has not come may yet be proven.
std::string WaitsText(const ops::StageView& stage) {
  if (stage.waits_for().empty() || stage.state() != model::v1::STAGE_STATE_RUNNING) return "";
  return absl::StrCat("stage ", stage.name(), " waits for ", absl::StrJoin(stage.waits_for(), "; "));
}

// Failures and who is left: asked for once, when it is over.
void PrintEnd(Context& context, Client& client, uint64_t run) {
  ops::GetRunRequest request;
  request.set_run(run);
  request.set_targets(true);
  const auto view = client.Call<ops::RunView>("GetRun", request);
  if (!view.ok())
    return context.Note(absl::StrCat("its hosts are not to be had: ", std::string(view.status().message())));
  context.Say("");
  PrintStages(context, *view);
  PrintTargets(context, *view, TargetsShown::kTroubled);
  PrintNext(context, *view);
}

}  // namespace

std::vector<std::string> RunTeller::Changes(const ops::RunView& run) const {
  std::vector<std::string> lines;
  for (int s = 0; s < run.stages_size(); ++s) {
    const auto& stage = run.stages(s);
    const std::string waits = WaitsText(stage);
    const bool said = told_ && s < last_.stages_size() && WaitsText(last_.stages(s)) == waits;
    if (!waits.empty() && !said) lines.push_back(waits);
  }
  for (int s = 0; s < run.stages_size(); ++s) {
    const auto& stage = run.stages(s);
    for (int w = 0; w < stage.waves_size(); ++w) {
      const auto before = told_ && s < last_.stages_size() && w < last_.stages(s).waves_size()
                              ? last_.stages(s).waves(w).state()
                              : model::v1::WAVE_STATE_PENDING;
      const auto& wave = stage.waves(w);
      // A gate has a line of its own.
      if (wave.state() == before || wave.state() == model::v1::WAVE_STATE_GATED) continue;
      lines.push_back(absl::StrCat("stage ", stage.name(), ", ", wave.name(), " is ", model::NameOf(wave.state()), ": ",
                                   CountsText(wave.counts()), wave.reason().empty() ? "" : "; ", wave.reason()));
    }
  }
  for (int g = 0; g < run.gates_size(); ++g) {
    const auto before = told_ && g < last_.gates_size() ? last_.gates(g).state() : model::v1::GATE_STATE_LOCKED;
    const int signed_before = told_ && g < last_.gates_size() ? last_.gates(g).signers_size() : 0;
    const auto& gate = run.gates(g);
    if (gate.state() != before || gate.signers_size() != signed_before) lines.push_back(GateLine(run, gate));
  }
  if (!told_ || run.state() != last_.state() || run.pause_reason() != last_.pause_reason()) {
    lines.push_back(StateLine(run));
  }
  return lines;
}

std::vector<std::string> RunTeller::Bars(const ops::RunView& run) const {
  size_t width = 5;
  for (const auto& stage : run.stages()) width = std::max(width, DisplayWidth(stage.name()));
  const auto bar = [&](const std::string& name, const ops::TargetCounts& counts, UnixMs began) {
    // Who waits for people, or for hosts to come back, has no time that could be told.
    const bool moving = run.state() == model::v1::RUN_STATE_RUNNING && counts.active() > 0;
    if (!moving) began = context_.clock.Now();
    const std::string label = name + std::string(width - DisplayWidth(name), ' ');
    std::string text = ProgressBar(context_.terminal, label, counts.total(), Unit::kCount, began)
                           .Text(Ended(counts), context_.clock.Now());
    if (counts.failed() > 0) absl::StrAppend(&text, "  ", counts.failed(), " failed");
    if (counts.active() > 0) absl::StrAppend(&text, "  ", counts.active(), " at work");
    if (counts.deferred() > 0) absl::StrAppend(&text, "  ", counts.deferred(), " deferred");
    return text;
  };
  std::vector<std::string> bars;
  for (const auto& stage : run.stages()) {
    if (stage.state() != model::v1::STAGE_STATE_RUNNING) continue;
    UnixMs began = 0;
    for (const auto& wave : stage.waves()) {
      if (wave.started_ms() != 0 && (began == 0 || wave.started_ms() < began)) began = wave.started_ms();
    }
    bars.push_back(bar(stage.name(), stage.counts(), began == 0 ? context_.clock.Now() : began));
  }
  bars.push_back(bar("run " + absl::StrCat(run.id()), run.counts(), run.started_ms()));
  return bars;
}

void RunTeller::Tell(const ops::RunView& run) {
  if (context_.json()) {
    context_.terminal.out() << ToJson(run).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
    return;
  }
  const UnixMs now = context_.clock.Now();
  std::vector<std::string> lines = Changes(run);
  const std::string counts = CountsText(run.counts());
  const bool bars = context_.terminal.ErrIsTerminal();
  if (lines.empty() && !bars && counts != counts_ && now - counts_at_ >= kCountsEvery) lines.push_back(counts);
  if (!lines.empty()) {
    live_.Clear();
    for (const std::string& line : lines) {
      context_.terminal.out() << FormatTime(now) << "  " << OneLine(line) << '\n';
    }
    context_.terminal.out() << std::flush;
    counts_ = counts;
    counts_at_ = now;
  }
  if (bars && run.ended_ms() == 0) live_.Show(Bars(run));
  told_ = true;
  last_ = run;
}

absl::StatusOr<int> WatchRun(Context& context, uint64_t run) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::GetRunRequest request;
  request.set_run(run);
  std::optional<ops::RunView> last;
  RunTeller teller(context);
  const absl::Status status = client->Watch<ops::RunView>("WatchRun", request, [&](const ops::RunView& view) {
    last = view;
    teller.Tell(view);
    return true;
  });
  teller.Finish();
  if (last && last->ended_ms() != 0) {
    if (!context.json()) PrintEnd(context, *client, run);
    return ExitCodeOfRun(*last);
  }
  const std::string stands =
      last ? absl::StrCat("; it is ", model::NameOf(last->state()), ", ", CountsText(last->counts())) : "";
  if (absl::IsDeadlineExceeded(status)) {
    return absl::DeadlineExceededError(absl::StrCat("run ", run, " has not ended within --timeout", stands));
  }
  if (status.ok() || (last && absl::IsUnavailable(status))) {
    return absl::UnavailableError(absl::StrCat("the coordinator ended the watch", stands,
                                               ". The run goes on without it: `reprise run watch ", run, "`"));
  }
  return status;
}

}  // namespace reprise::cli
