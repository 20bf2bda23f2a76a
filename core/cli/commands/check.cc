#include <algorithm>
#include <map>
#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/table.h"
#include "core/plan/dossier.h"

namespace reprise::cli {
namespace {

struct CheckFlags {
  std::string dossier;
  bool strict = false;
};

template <typename Key>
void PrintCounts(Context& context, const char* heading, const plan::Inventory& inventory, const Key& key) {
  std::map<std::string, size_t> counts;
  for (const plan::Host& host : inventory.hosts) counts[key(host)] += 1;
  std::vector<std::pair<std::string, size_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  Table table({heading, "HOSTS"});
  for (const auto& [name, count] : sorted) table.Add({name, absl::StrCat(count)});
  if (!table.empty()) table.Print(context.terminal, context.cut());
}

void PrintWorkflows(Context& context, const plan::Dossier& dossier) {
  Table table({"WORKFLOW", "STAGES", "STEPS", "TITLE"});
  for (const plan::Workflow& workflow : dossier.workflows) {
    size_t steps = 0;
    for (const plan::StageSpec& stage : workflow.stages) steps += stage.steps.size();
    table.Add({workflow.name, absl::StrCat(workflow.stages.size()), absl::StrCat(steps), workflow.title});
  }
  if (!table.empty()) table.Print(context.terminal, context.cut());
}

Json Findings(const plan::Diagnostics& diagnostics) {
  Json list = Json::array();
  for (const plan::Finding& finding : diagnostics.Findings()) {
    list.push_back({{"severity", finding.severity == plan::Severity::kError ? "error" : "warning"},
                    {"file", diagnostics.SourceName(finding.place.source)},
                    {"line", finding.place.line},
                    {"column", finding.place.column},
                    {"message", finding.message},
                    {"expected", finding.expected},
                    {"nearest", finding.nearest},
                    {"hint", finding.hint}});
  }
  return list;
}

Json Summary(const plan::Dossier& dossier, const plan::Diagnostics& diagnostics) {
  Json workflows = Json::array();
  for (const plan::Workflow& workflow : dossier.workflows) {
    Json stages = Json::array();
    for (const plan::StageSpec& stage : workflow.stages) {
      stages.push_back({{"name", stage.name}, {"steps", stage.steps.size()}});
    }
    workflows.push_back({{"name", workflow.name}, {"title", workflow.title}, {"stages", std::move(stages)}});
  }
  return {{"ok", diagnostics.ok()},
          {"errors", diagnostics.errors()},
          {"warnings", diagnostics.warnings()},
          {"inventory", dossier.inventory.name},
          {"hosts", dossier.inventory.hosts.size()},
          {"workflows", std::move(workflows)},
          {"findings", Findings(diagnostics)}};
}

int Check(Context& context, const CheckFlags& flags) {
  plan::Diagnostics diagnostics;
  const plan::Dossier dossier = plan::ReadDossier(flags.dossier, diagnostics);
  const bool good = diagnostics.ok() && !(flags.strict && diagnostics.warnings() > 0);
  if (context.json()) {
    context.PrintJson(Summary(dossier, diagnostics));
    return good ? kExitOk : kExitFailure;
  }
  context.terminal.err() << diagnostics.Render();
  if (!diagnostics.ok()) return kExitFailure;
  context.Say(absl::StrCat(dossier.inventory.hosts.size(), " hosts, ", dossier.workflows.size(),
                           " workflows; the dossier can be used."));
  if (!dossier.inventory.hosts.empty()) {
    context.Say("");
    PrintCounts(context, "CLASS", dossier.inventory, [](const auto& host) { return model::NameOf(host.asset_class); });
    context.Say("");
    PrintCounts(context, "ZONE", dossier.inventory, [](const auto& host) { return model::NameOf(host.zone); });
  }
  if (!dossier.workflows.empty()) {
    context.Say("");
    PrintWorkflows(context, dossier);
  }
  return good ? kExitOk : kExitFailure;
}

}  // namespace

Action DeclareCheck(CommandLine& app) {
  auto flags = std::make_shared<CheckFlags>();
  app.Option("DOSSIER", flags->dossier, "A folder of documents, or one file").Required();
  app.Flag("--strict", flags->strict, "Warnings fail too");
  app.Footer(
      "Examples:\n"
      "  reprise check dossier/\n"
      "  reprise check --strict dossier/edr.yaml      in a script that guards changes\n"
      "Exit code 1: the dossier must not be used. Whether its plugins exist, `reprise plan` says.");
  return [flags](Context& context) -> absl::StatusOr<int> { return Check(context, *flags); };
}

}  // namespace reprise::cli
