#include "core/cli/commands/evidence_view.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/cli/json_lines.h"
#include "core/model/names.h"

namespace reprise::cli {
namespace {

constexpr size_t kObservedShown = 40;

std::string TextAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// The agent gives {"summary", "evidence": [{"kind", "text"}], "observed"}; anything else is shown as it is.
void PrintStep(Context& context, const ops::TargetView& target, const ops::StepView& step) {
  const Json said = Json::parse(step.evidence_json(), nullptr, /*allow_exceptions=*/false);
  const std::string summary = said.is_object() ? TextAt(said, "summary") : "";
  context.Say(OneLine(absl::StrCat(target.host(), "  ", target.stage(), "/", step.name(), "  ", model::NameOf(step.outcome()),
                                   summary.empty() ? "" : ": ", summary)));
  if (!said.is_object()) return context.Say(absl::StrCat("  ", OneLine(step.evidence_json())));
  if (const auto evidence = said.find("evidence"); evidence != said.end() && evidence->is_array()) {
    for (const Json& item : *evidence) {
      if (!item.is_object()) continue;
      context.Say(absl::StrCat("  ", OneLine(absl::StrCat(TextAt(item, "kind"), ": ", TextAt(item, "text")))));
    }
  }
  const auto observed = said.find("observed");
  if (observed == said.end() || observed->empty()) return;
  const std::vector<std::string> lines = LinesOf(*observed);
  for (size_t i = 0; i < std::min(lines.size(), kObservedShown); ++i) context.Say(absl::StrCat("  ", lines[i]));
  if (lines.size() > kObservedShown) {
    context.Say(absl::StrCat("  … and ", lines.size() - kObservedShown, " more lines (-o json has them)"));
  }
}

}  // namespace

void PrintEvidence(Context& context, const std::vector<const ops::TargetView*>& targets) {
  bool first = true;
  for (const ops::TargetView* target : targets) {
    for (const ops::StepView& step : target->steps()) {
      if (step.evidence_json().empty() || step.evidence_json() == "{}") continue;
      if (first) context.Say(absl::StrCat("\n", context.terminal.Paint("EVIDENCE", Color::kBold)));
      first = false;
      PrintStep(context, *target, step);
    }
  }
}

}  // namespace reprise::cli
