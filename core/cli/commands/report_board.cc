#include <ostream>

#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/report_flags.h"

namespace reprise::cli {
namespace {

struct ReportBoardFlags {
  std::string language = "fr";
};

absl::StatusOr<int> Run(Context& context, const ReportBoardFlags& flags) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(const auto board, client->Call<ops::BoardView>("GetBoard", ops::Empty()));
  if (context.json()) {
    context.PrintJson(board);
  } else {
    context.terminal.out() << report::BoardReport(board, ReportOptionsFor(context, flags.language));
  }
  return kExitOk;
}

}  // namespace

Action DeclareReportBoard(CommandLine& app) {
  auto flags = std::make_shared<ReportBoardFlags>();
  AddLanguage(app, flags->language);
  app.Footer(
      "Examples:\n"
      "  reprise report board | lp\n"
      "  reprise report board --lang en > board.txt");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
