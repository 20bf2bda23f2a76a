#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/run_control.h"
#include "core/cli/commands/run_view.h"

namespace reprise::cli {
namespace {

struct RunAbortFlags {
  uint64_t run = 0;
  std::string reason;
};

absl::StatusOr<int> Run(Context& context, const RunAbortFlags& flags) {
  if (!context.flags.yes) {
    ASSIGN_OR_RETURN(const auto view, FetchRun(context, flags.run));
    context.Note(absl::StrCat("run ", flags.run, " of plan ", view.plan_id(), ": ", CountsText(view.counts())));
    RETURN_IF_ERROR(context.Confirm("End it for good? What is left needs a new plan"));
  }
  return ControlRun(context, "AbortRun", flags.run, flags.reason);
}

}  // namespace

Action DeclareRunAbort(CommandLine& app) {
  auto flags = std::make_shared<RunAbortFlags>();
  app.Option("RUN", flags->run, "The run's number").Required();
  app.Option("--reason", flags->reason, "Why; it stands in the journal").Required().TypeName("TEXT");
  app.Footer(
      "An aborted run never goes on. To hold it for a while: `reprise run pause`.\n\n"
      "Examples:\n"
      "  reprise run abort 7 --reason \"wrong version of the agent\"");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
