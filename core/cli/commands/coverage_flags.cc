#include "core/cli/commands/coverage_flags.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/plan/selector.h"
#include "core/report/views.h"

namespace reprise::cli {

void CoverageFlags::Declare(CommandLine& app) {
  app.Option("--claim", claim, absl::StrCat("What probes must have stated (", report::kCoverageClaim, ")"))
      .TypeName("CLAIM");
  app.Option("--selector", selector,
                 absl::StrCat("The denominator: out of which hosts (of ", report::kCoverageClaim, ": ", report::kCoverageSelector,
                              "; of another claim: all classes that it concerns)"))
      .TypeName("SELECTOR");
  app.Duration("--max-age", max_age_ms, "Claims older than this count as unknown, such as 24h");
}

absl::StatusOr<ops::CoverageView> CoverageFlags::Ask(Context& context) const {
  if (!selector.empty()) {
    if (const auto parsed = plan::Selector::Parse(selector); !parsed.ok()) {
      return UsageError(absl::StrCat("--selector: ", std::string(parsed.status().message())));
    }
  }
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::CoverageRequest request;
  request.set_claim(claim.empty() ? report::kCoverageClaim : claim);
  request.set_selector(selector);
  request.set_max_age_ms(max_age_ms);
  return client->Call<ops::CoverageView>("GetCoverage", request);
}

ExitCode ExitCodeOfCoverage(const ops::CoverageView& coverage) {
  return coverage.inventory() > 0 && coverage.holds() == coverage.inventory() ? kExitOk : kExitPartial;
}

}  // namespace reprise::cli
