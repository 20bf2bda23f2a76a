#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/run_control.h"
#include "core/cli/commands/run_view.h"

namespace reprise::cli {
namespace {

absl::StatusOr<int> RunRunResume(Context& context, uint64_t run) {
  // Resuming says "these failures are acceptable": nobody says so unseen.
  ASSIGN_OR_RETURN(const auto view, FetchRun(context, run));
  if (view.state() == model::v1::RUN_STATE_PAUSED && view.counts().failed() > 0 && !context.flags.yes) {
    context.Note(OneLine(absl::StrCat("run ", run, " is paused (", view.pause_code(), "): ", view.pause_reason())));
    context.Note(CountsText(view.counts()));
    RETURN_IF_ERROR(context.Confirm(absl::StrCat("Go on, and accept the ", view.counts().failed(),
                                                 " failure(s) so far? Budgets count anew from here")));
  }
  return ControlRun(context, "ResumeRun", run, "");
}

}  // namespace

Action DeclareRunResume(CommandLine& app) {
  auto run = std::make_shared<uint64_t>(0);
  app.Option("RUN", *run, "The run's number").Required();
  app.Footer(
      "Failures so far are accepted by whoever resumes: failure budgets count from here.\n\n"
      "Examples:\n"
      "  reprise run resume 7");
  return [run](Context& context) { return RunRunResume(context, *run); };
}

}  // namespace reprise::cli
