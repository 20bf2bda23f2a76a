#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/upload.h"
#include "core/cli/progress_bar.h"
#include "core/cli/table.h"

namespace reprise::cli {
namespace {

absl::StatusOr<int> List(Context& context) {
  ASSIGN_OR_RETURN(const auto list, ListBlobs(context, "artifact"));
  if (context.json()) {
    context.PrintJson(list);
    return kExitOk;
  }
  if (list.blobs().empty()) {
    context.Say("No artifacts. `reprise artifact add FILE` puts files into the store.");
    return kExitOk;
  }
  Table table({"NAME", "SIZE", "SHA-256"});
  for (const auto& blob : list.blobs()) table.Add({blob.name(), ByteText(blob.size()), ToHex(blob.sha256())});
  table.Print(context.terminal, context.cut());
  return kExitOk;
}

}  // namespace

Action DeclareArtifactLs(CommandLine& app) {
  app.Footer(
      "Examples:\n"
      "  reprise artifact ls\n"
      "  reprise -o json artifact ls | jq -r '.blobs[].name'");
  return List;
}

}  // namespace reprise::cli
