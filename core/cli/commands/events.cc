#include <algorithm>
#include <optional>
#include <ostream>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/event_text.h"

namespace reprise::cli {
namespace {

// Told when nothing else is asked for.
constexpr uint64_t kNewest = 50;

struct EventsFlags {
  bool follow = false;
  uint64_t run = 0;
  std::optional<uint64_t> from;
};

Color ColorOf(const journal::v1::Event& event) {
  switch (event.kind_case()) {
    case journal::v1::Event::kStopRaised:
      return Color::kBad;
    case journal::v1::Event::kRunPaused:
    case journal::v1::Event::kGateReady:
    case journal::v1::Event::kTaskLost:
      return Color::kWarning;
    case journal::v1::Event::kTaskFinished: {
      const auto outcome = event.task_finished().finished().outcome();
      return outcome == model::v1::OUTCOME_CHANGED || outcome == model::v1::OUTCOME_UNCHANGED ? Color::kNone
                                                                                              : Color::kBad;
    }
    case journal::v1::Event::kRunEnded:
      return event.run_ended().state() == model::v1::RUN_STATE_SUCCEEDED ? Color::kGood : Color::kBad;
    default:
      return Color::kNone;
  }
}

void Print(Context& context, const ops::JournalRecord& record, const PlanNames& names) {
  std::ostream& out = context.terminal.out();
  if (context.json()) {
    out << ToJson(record).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    return;
  }
  const auto& event = record.event();
  std::string line = absl::StrCat(record.sequence(), "  ", FormatTime(event.at_ms()), "  ", OneLine(event.actor()),
                                  "  ", context.terminal.Paint(TextOfEvent(event, names), ColorOf(event)));
  if (context.cut() && context.terminal.OutIsTerminal()) line = Shorten(line, context.terminal.Width());
  out << line << '\n';
}

// Where a run's names stand, when the journal is not read from its beginning.
void LearnNames(Client& client, uint64_t run, PlanNames& names) {
  ops::GetRunRequest run_request;
  run_request.set_run(run);
  const auto view = client.Call<ops::RunView>("GetRun", run_request);
  if (!view.ok()) return;
  ops::PlanRequest plan_request;
  plan_request.set_plan_id(view->plan_id());
  const auto plan = client.Call<ops::PlanView>("GetPlan", plan_request);
  if (!plan.ok()) return;
  names.AddRun(run, view->plan_id());
  names.AddPlan(plan->bundle());
}

absl::StatusOr<int> Run(Context& context, const EventsFlags& flags) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  uint64_t next = flags.from.value_or(1);
  if (!flags.from && flags.run == 0) {
    ASSIGN_OR_RETURN(const auto status, client->Call<ops::StatusView>("GetStatus", ops::Empty()));
    next = status.journal_events() > kNewest ? status.journal_events() - kNewest + 1 : 1;
  }
  PlanNames names;
  std::set<uint64_t> asked;  // Of each run the names are asked for once.
  for (;;) {
    ops::ReadJournalRequest request;
    request.set_from(std::max<uint64_t>(1, next));
    request.set_follow(flags.follow);
    request.set_run(flags.run);
    std::optional<uint64_t> unknown;
    const absl::Status status =
        client->Watch<ops::JournalRecord>("ReadJournal", request, [&](const ops::JournalRecord& record) {
          names.See(record.event());
          const uint64_t run = RunOfEvent(record.event());
          if (run != 0 && !names.Knows(run) && !asked.contains(run) && !context.json()) {
            // One call at a time: the reading is left, and taken up again here.
            unknown = run;
            next = record.sequence();
            return false;
          }
          Print(context, record, names);
          if (flags.follow) context.terminal.out() << std::flush;
          return true;
        });
    if (!unknown) {
      if (!status.ok()) return status;
      return kExitOk;
    }
    LearnNames(*client, *unknown, names);
    asked.insert(*unknown);
  }
}

}  // namespace

Action DeclareEvents(CommandLine& app) {
  auto flags = std::make_shared<EventsFlags>();
  app.Flag("-f,--follow", flags->follow, "Go on with what happens, until interrupted");
  app.Option("--run", flags->run, "Only of this run, from its beginning").TypeName("RUN");
  app.Option("--from", flags->from, "From this number on; 1 is the oldest. Without it: the newest 50")
      .TypeName("NUMBER");
  app.Footer(
      "With -o json one event is one line, with its hash.\n\n"
      "Examples:\n"
      "  reprise events --follow\n"
      "  reprise events --run 7\n"
      "  reprise events --from 1 -o json | jq -c 'select(.event.plan_signed) | .event'");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
