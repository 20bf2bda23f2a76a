#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/coverage_flags.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/table.h"
#include "core/model/names.h"
#include "core/report/text_report.h"

namespace reprise::cli {
namespace {

Color ColorOf(model::v1::ClaimState state) {
  return state == model::v1::CLAIM_STATE_FAILS ? Color::kBad : Color::kWarning;
}

absl::StatusOr<int> Run(Context& context, const CoverageFlags& flags) {
  ASSIGN_OR_RETURN(const auto view, flags.Ask(context));
  const ExitCode code = ExitCodeOfCoverage(view);
  if (context.json()) {
    context.PrintJson(view);
    return code;
  }
  if (view.inventory() == 0) {
    context.Say(absl::StrCat(view.claim(), ": no host of the inventory matches: ", view.selector(),
                             ". Nobody out of nobody proves nothing"));
    return code;
  }
  const std::string ratio =
      absl::StrCat(view.holds(), " of ", view.inventory(), " hosts (",
                   report::Percent(view.holds(), view.inventory(), report::Language::kEnglish), " %)");
  context.Say(absl::StrCat(view.claim(), ": ",
                           context.terminal.Paint(ratio, code == kExitOk ? Color::kGood : Color::kBad),
                           ", proven by probes"));
  context.Say(absl::StrCat("out of: ", view.selector(), "; ", view.fails(), " fail, ", view.unknown(), " unknown",
                           view.exempt() > 0 ? absl::StrCat("; ", view.exempt(), " exempt by rule, not counted") : ""));
  if (!view.gaps().empty()) {
    Table table({"HOST", "CLAIM", "WHY", "REASON"});
    for (const auto& gap : view.gaps()) {
      table.Add({gap.host(), {model::NameOf(gap.state()), ColorOf(gap.state())}, gap.code(), gap.reason()});
    }
    context.Say("");
    table.Print(context.terminal, context.cut());
  }
  return code;
}

}  // namespace

Action DeclareCoverage(CommandLine& app) {
  auto flags = std::make_shared<CoverageFlags>();
  flags->Declare(app);
  app.Footer(
      "The denominator is the inventory, never only the hosts that answer; what was not looked at is unknown, not "
      "good.\n"
      "Exit code 0 when every host is covered, 6 when some are not.\n\n"
      "Examples:\n"
      "  reprise coverage\n"
      "  reprise coverage --claim edr.protected --selector \"class == server\" --max-age 24h\n"
      "  reprise coverage -o json | jq -r '.gaps[] | [.host, .code] | @tsv'");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
