#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
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

// Nobody has tried to bring it about: other gaps tell of a run that did.
bool WasNeverTried(const ops::CoverageView& view) {
  static const std::set<std::string> untried = {"not_planned",  "no_agent", "hold",       "expelled",
                                                "not_enrolled", "not_admitted", "quarantine"};
  return std::all_of(view.gaps().begin(), view.gaps().end(),
                     [](const ops::CoverageGap& gap) { return untried.count(gap.code()) > 0; });
}

// A claim that is asked for by name, and that no host ever made, is perhaps mistyped: what to say of it; empty: a host made it.
std::string NeverMade(Context& context, const ops::CoverageView& view) {
  const bool made = view.holds() + view.fails() > 0 ||
                    std::any_of(view.gaps().begin(), view.gaps().end(), [](const ops::CoverageGap& gap) {
                      return gap.code() == "claim_unknown" || gap.code() == "too_old";
                    });
  if (made) return "";
  const auto client = context.client();
  if (!client.ok()) return "";
  const auto hosts = (*client)->Call<ops::HostList>("ListHosts", ops::ListHostsRequest());
  if (!hosts.ok()) return "";
  std::set<std::string> names;
  for (const auto& host : hosts->hosts()) {
    for (const auto& claim : host.claims()) names.insert(claim.name());
  }
  if (names.count(view.claim()) > 0) return "";
  const std::string nearest = NearestName(view.claim(), {names.begin(), names.end()});
  return absl::StrCat("no host has ever made the claim \"", OneLine(view.claim()), "\"",
                      WasNeverTried(view) ? ", and no run was ever meant to bring it about" : "",
                      !nearest.empty() ? absl::StrCat("; did you mean ", nearest, "?")
                      : names.empty()  ? "; no host has made any"
                                       : absl::StrCat("; made so far: ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<int> Run(Context& context, const CoverageFlags& flags) {
  ASSIGN_OR_RETURN(const auto view, flags.Ask(context));
  const ExitCode code = ExitCodeOfCoverage(view);
  if (const std::string said = flags.claim.empty() ? "" : NeverMade(context, view); !said.empty()) {
    context.Note(said);
    if (!context.json() && WasNeverTried(view)) return code;  // A list of everybody would say nothing more.
  }
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
                           view.exempt() > 0 ? absl::StrCat("; ", view.exempt(), " exempt by rule, not counted") : "",
                           flags.selector.empty() ? "; --selector counts others" : ""));
  if (!view.gaps().empty()) {
    Table table({"HOST", "CLAIM", "WHY", "REASON"});
    // Of whom something is known come first.
    for (const bool planned : {true, false}) {
      for (const auto& gap : view.gaps()) {
        if ((gap.code() != "not_planned") != planned) continue;
        table.Add({gap.host(), {model::NameOf(gap.state()), ColorOf(gap.state())}, gap.code(), gap.reason()});
      }
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
      "Without --selector a claim is counted out of every class of which a host has made it, or was meant by a run of its\n"
      "plugin; of edr.protected, out of the workstations. A claim that nobody ever made is said to be none.\n"
      "Exit code 0 when every host is covered, 6 when some are not, or the claim was never made.\n\n"
      "Examples:\n"
      "  reprise coverage\n"
      "  reprise coverage --claim edr.protected --selector \"class == server\" --max-age 24h\n"
      "  reprise coverage --claim host.as_declared\n"
      "  reprise coverage -o json | jq -r '.gaps[] | [.host, .code] | @tsv'");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
