#include "core/cli/commands/plan_preview.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/cli/progress_bar.h"
#include "core/cli/table.h"

namespace reprise::cli {
namespace {

using Answer = StepPreview::Answer;

constexpr int64_t kAnswersDefaultMs = 60'000;

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string TextOfChange(const Json& change) {
  if (!change.is_object()) return change.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::string from = TextOf(change, "from");
  const std::string to = TextOf(change, "to");
  return absl::StrCat(TextOf(change, "what"), ": ", from.empty() ? "nothing" : from, " -> ",
                      to.empty() ? "nothing" : to);
}

// A plugin's or an agent's own error is an object; anything else are words already.
std::string TextOfError(const std::string& error) {
  if (error.empty()) return "it could not tell";
  const Json object = Json::parse(error, nullptr, /*allow_exceptions=*/false);
  const auto inner = object.is_object() ? object.find("error") : object.end();
  if (inner == object.end() || !inner->is_object()) return error;
  const std::string hint = TextOf(*inner, "hint");
  return absl::StrCat(TextOf(*inner, "code"), ": ", TextOf(*inner, "message"), hint.empty() ? "" : "; try: ", hint);
}

const char* WordOf(Answer answer) {
  switch (answer) {
    case Answer::kChanges:
      return "changes";
    case Answer::kNothing:
      return "nothing";
    case Answer::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace

size_t PlanPreview::Count(Answer answer) const {
  return static_cast<size_t>(
      std::count_if(steps.begin(), steps.end(), [&](const auto& step) { return step.answer == answer; }));
}

StepPreview ReadPreview(const ops::HostPreview& answer) {
  StepPreview read;
  read.host = answer.host();
  if (!answer.ok()) {
    read.error = TextOfError(answer.error());
    return read;
  }
  const Json object = Json::parse(answer.result_json(), nullptr, /*allow_exceptions=*/false);
  const auto changes = object.is_object() ? object.find("changes") : object.end();
  if (!object.is_object() || changes == object.end() || !changes->is_array()) {
    read.error = "the plugin's answer has no list of changes";
    return read;
  }
  read.summary = TextOf(object, "summary");
  for (const Json& change : *changes) read.changes.push_back(TextOfChange(change));
  read.answer = read.changes.empty() ? Answer::kNothing : Answer::kChanges;
  return read;
}

absl::StatusOr<PlanPreview> Preview(Context& context, const plan::CompiledPlan& plan) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  PlanPreview preview;
  std::map<std::tuple<std::string, uint32_t, uint32_t>, size_t> place;
  for (const auto& leaf : plan.leaves) {
    for (const auto& placement : leaf.placements()) {
      const auto& stage = plan.header.stages(static_cast<int>(placement.stage()));
      for (int s = 0; s < stage.steps_size(); ++s) {
        place[{leaf.host(), placement.stage(), static_cast<uint32_t>(s)}] = preview.steps.size();
        StepPreview step;
        step.host = leaf.host();
        step.stage = stage.name();
        step.step = stage.steps(s).name();
        step.error = "no answer";
        preview.steps.push_back(std::move(step));
      }
    }
  }
  ops::PreviewPlanRequest request;
  *request.mutable_bundle() = plan.bundle;
  // The coordinator is to name those that did not answer before the call itself ends.
  request.set_timeout_ms(context.flags.timeout_ms > 0 ? std::max<int64_t>(1, context.flags.timeout_ms * 9 / 10)
                                                      : kAnswersDefaultMs);
  ProgressBar bar(context.terminal, "dry run", preview.steps.size(), Unit::kCount, context.clock.Now());
  bar.Show(0, context.clock.Now());
  std::set<size_t> answered;
  RETURN_IF_ERROR(client->Watch<ops::HostPreview>("PreviewPlan", request, [&](const ops::HostPreview& answer) {
    const auto found = place.find({answer.host(), answer.stage(), answer.step()});
    if (found == place.end()) return true;
    StepPreview& step = preview.steps[found->second];
    StepPreview read = ReadPreview(answer);
    read.stage = step.stage;
    read.step = step.step;
    step = std::move(read);
    answered.insert(found->second);
    bar.Show(answered.size(), context.clock.Now());
    return true;
  }));
  return preview;
}

void PrintPreview(Context& context, const PlanPreview& preview) {
  Table table({"HOST", "STEP", "WOULD", "CHANGES"});
  for (const StepPreview& step : preview.steps) {
    if (step.answer == Answer::kNothing) continue;
    const bool unknown = step.answer == Answer::kUnknown;
    table.Add({step.host, absl::StrCat(step.stage, "/", step.step),
               unknown ? Cell("UNKNOWN", Color::kWarning) : Cell("change", Color::kBusy),
               unknown ? step.error
                       : absl::StrCat(absl::StrJoin(step.changes, "; "), step.summary.empty() ? "" : " — ", step.summary)});
  }
  context.Say("");
  if (!table.empty()) table.Print(context.terminal, context.cut());
  const size_t unknown = preview.Count(Answer::kUnknown);
  context.Say(absl::StrCat(
      "dry run: ", preview.Count(Answer::kChanges), " steps would change something, ", preview.Count(Answer::kNothing),
      " nothing, ",
      context.terminal.Paint(absl::StrCat(unknown, " unknown"), unknown > 0 ? Color::kWarning : Color::kNone)));
}

Json PreviewAsJson(const PlanPreview& preview) {
  Json list = Json::array();
  for (const StepPreview& step : preview.steps) {
    list.push_back({{"host", step.host},
                    {"stage", step.stage},
                    {"step", step.step},
                    {"answer", WordOf(step.answer)},
                    {"changes", step.changes},
                    {"summary", step.summary},
                    {"error", step.answer == Answer::kUnknown ? step.error : ""}});
  }
  return list;
}

}  // namespace reprise::cli
