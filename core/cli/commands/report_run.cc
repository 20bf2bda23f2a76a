#include <ostream>

#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/report_flags.h"

namespace reprise::cli {
namespace {

struct ReportRunFlags {
  uint64_t run = 0;
  std::string language = "fr";
};

absl::StatusOr<int> Run(Context& context, const ReportRunFlags& flags) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::GetRunRequest request;
  request.set_run(flags.run);
  request.set_targets(true);
  ASSIGN_OR_RETURN(const auto run, client->Call<ops::RunView>("GetRun", request));
  if (context.json()) {
    context.PrintJson(run);
  } else {
    context.terminal.out() << report::RunReport(run, ReportOptionsFor(context, flags.language));
  }
  return kExitOk;
}

}  // namespace

Action DeclareReportRun(CommandLine& app) {
  auto flags = std::make_shared<ReportRunFlags>();
  app.Option("RUN", flags->run, "The run's number").Required();
  AddLanguage(app, flags->language);
  app.Footer(
      "Plain text of at most 100 columns; nobody is left out.\n\n"
      "Examples:\n"
      "  reprise report run 7 | lp\n"
      "  reprise report run 7 --lang en > run-7.txt");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
