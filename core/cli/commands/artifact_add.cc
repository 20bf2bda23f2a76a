#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/upload.h"

namespace reprise::cli {
namespace {

absl::StatusOr<int> Add(Context& context, const std::vector<std::string>& files) {
  // All are read before any is sent: a wrong name on the line costs nothing.
  ops::BlobList added;
  std::map<std::string, std::string> names;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(*added.add_blobs(), MeasureFile(context, file, "artifact"));
    const auto& info = *added.blobs().rbegin();
    const auto [same, is_new] = names.emplace(info.name(), file);
    if (!is_new) {
      return UsageError(absl::StrCat(same->second, " and ", file, " have the same name; steps find artifacts by it"));
    }
  }
  ASSIGN_OR_RETURN(const auto known, ListBlobs(context, "artifact"));
  for (int i = 0; i < added.blobs_size(); ++i) {
    const auto& info = added.blobs(i);
    for (const auto& stored : known.blobs()) {
      if (stored.name() != info.name() || stored.sha256() == info.sha256()) continue;
      context.Note(absl::StrCat("another ", info.name(), " (", ToHex(stored.sha256()).substr(0, 12),
                                "…) is in the store; plans made from now on take this one"));
      break;
    }
    RETURN_IF_ERROR(UploadFile(context, files[static_cast<size_t>(i)], info));
    SayUploaded(context, info);
  }
  if (context.json()) context.PrintJson(added);
  return kExitOk;
}

}  // namespace

Action DeclareArtifactAdd(CommandLine& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  app.Option("FILE", *files, "Files; their names are how steps find them").Required();
  app.Footer(
      "Examples:\n"
      "  reprise artifact add clamav-daemon_1.4.deb\n"
      "  reprise artifact add packages/*.deb\n"
      "Which bytes a step gets, the signed plan says by their SHA-256: adding a file changes no plan that exists.");
  return [files](Context& context) { return Add(context, *files); };
}

}  // namespace reprise::cli
