#include <ostream>

#include "core/base/status_macros.h"
#include "core/cli/commands/coverage_flags.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/report_flags.h"

namespace reprise::cli {
namespace {

struct ReportCoverageFlags {
  CoverageFlags coverage;
  std::string language = "fr";
};

absl::StatusOr<int> Run(Context& context, const ReportCoverageFlags& flags) {
  ASSIGN_OR_RETURN(const auto view, flags.coverage.Ask(context));
  if (context.json()) {
    context.PrintJson(view);
  } else {
    context.terminal.out() << report::CoverageReport(view, ReportOptionsFor(context, flags.language));
  }
  return kExitOk;
}

}  // namespace

Action DeclareReportCoverage(CommandLine& app) {
  auto flags = std::make_shared<ReportCoverageFlags>();
  flags->coverage.Declare(app);
  AddLanguage(app, flags->language);
  app.Footer(
      "For people; `reprise coverage` is for scripts: its exit code says whether everyone is covered.\n\n"
      "Examples:\n"
      "  reprise report coverage | lp\n"
      "  reprise report coverage --lang en --max-age 24h > coverage.txt");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
