#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/inventory_request.h"
#include "core/cli/table.h"
#include "core/plan/dossier.h"

namespace reprise::cli {
namespace {

constexpr size_t kNamesShown = 8;

// Hosts that would leave every denominator are named first: the wrong dossier would drop most of a site.
absl::Status ConfirmAbsent(Context& context, Client& client, const plan::Inventory& inventory) {
  ASSIGN_OR_RETURN(const auto known, client.Call<ops::HostList>("ListHosts", ops::ListHostsRequest()));
  std::vector<std::string> leaving = CompareInventory(inventory, {known.hosts().begin(), known.hosts().end()}).absent;
  if (leaving.empty()) return absl::OkStatus();
  const size_t count = leaving.size();
  if (count > kNamesShown) leaving.resize(kNamesShown);
  return context.Confirm(absl::StrCat(count, " host(s) of today's inventory are not in this dossier (",
                                      absl::StrJoin(leaving, ", "), count > kNamesShown ? ", …" : "",
                                      "); they stay known, and count no more. Import?"));
}

absl::StatusOr<int> Import(Context& context, const std::string& path) {
  plan::Diagnostics diagnostics;
  const plan::Dossier dossier = plan::ReadDossier(path, diagnostics);
  RETURN_IF_ERROR(diagnostics.ToStatus());
  context.terminal.err() << diagnostics.Render();
  if (dossier.inventory.hosts.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " declares no hosts: it has no document of kind Inventory"));
  }
  ASSIGN_OR_RETURN(Client * client, context.client());
  RETURN_IF_ERROR(ConfirmAbsent(context, *client, dossier.inventory));
  const std::string source = dossier.inventory.name.empty() ? path : dossier.inventory.name;
  ASSIGN_OR_RETURN(const auto counts, client->Call<ops::ImportInventoryResponse>(
                                          "ImportInventory", InventoryRequest(dossier.inventory, source)));
  if (context.json()) {
    context.PrintJson(counts);
    return kExitOk;
  }
  const auto numbered = [](uint32_t count, Color color) {
    return Cell(absl::StrCat(count), count > 0 ? color : Color::kDim);
  };
  Table table({"ADDED", "CHANGED", "UNCHANGED", "ABSENT"});
  table.Add({numbered(counts.added(), Color::kGood), numbered(counts.changed(), Color::kGood),
             numbered(counts.unchanged(), Color::kNone), numbered(counts.absent(), Color::kWarning)});
  table.Print(context.terminal, context.cut());
  return kExitOk;
}

}  // namespace

Action DeclareInventoryImport(CommandLine& app) {
  auto dossier = std::make_shared<std::string>();
  app.Option("DOSSIER", *dossier, "A folder of documents, or one file").Required();
  app.Footer(
      "Examples:\n"
      "  reprise check dossier/\n"
      "  reprise inventory import dossier/\n"
      "The inventory is replaced as a whole. Hosts that it does not name stay known, marked absent; before any become "
      "so,\n"
      "you are asked (-y: no questions).");
  return [dossier](Context& context) { return Import(context, *dossier); };
}

}  // namespace reprise::cli
