#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "plugins/sdk/skeleton/skeleton.h"

namespace reprise::cli {
namespace {

struct PluginNewFlags {
  std::string name;
  std::string folder;
  std::string include;
};

bool HasSdk(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / "plugins" / "sdk" / "sdk.h", error);
}

// Where the author's headers are: beside an installed program, or in the tree that this one was built from. Empty:
// nowhere.
std::filesystem::path FindSdk() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const std::filesystem::path bin = self.parent_path();
  for (const auto& folder : {bin / "../include/reprise", bin / "../.."}) {
    if (HasSdk(folder)) return std::filesystem::weakly_canonical(folder, error);
  }
  return {};
}

absl::StatusOr<int> Make(Context& context, const PluginNewFlags& flags) {
  skeleton::SkeletonOptions options;
  options.name = flags.name;
  options.include_folder = FindSdk();
  std::error_code error;
  if (!flags.include.empty()) {
    options.include_folder = std::filesystem::absolute(flags.include, error);
    if (!HasSdk(options.include_folder)) {
      return UsageError(absl::StrCat("--include: ", flags.include, " has no plugins/sdk/sdk.h"));
    }
  }
  const std::filesystem::path folder = flags.folder.empty() ? flags.name : flags.folder;
  RETURN_IF_ERROR(skeleton::WriteSkeleton(options, folder));
  if (options.include_folder.empty()) {
    context.Note("The SDK's headers were not found; say where they are: cmake -B build -DREPRISE_INCLUDE=DIR");
  }
  if (context.json()) {
    Json files = Json::array();
    for (const auto& file : skeleton::MakeSkeleton(options)) files.push_back(file.path);
    context.PrintJson(Json{{"folder", folder.string()}, {"files", std::move(files)}});
    return kExitOk;
  }
  context.Say(absl::StrCat("A plugin that compiles is in ", folder.string(), ":"));
  for (const auto& file : skeleton::MakeSkeleton(options)) context.Say(absl::StrCat("  ", file.path));
  context.Say(absl::StrCat("Next: read its README.md, then run ", (folder / "test").string(),
                           ", which builds it and tries it against the contract."));
  return kExitOk;
}

}  // namespace

Action DeclarePluginNew(CommandLine& app) {
  auto flags = std::make_shared<PluginNewFlags>();
  app.Option("NAME", flags->name, "Of the plugin, after its application: a-z, 0-9, '-'").Required();
  app.Option("--folder", flags->folder, "Where it goes (default: ./NAME)").TypeName("FOLDER");
  app.Option("--include", flags->include, "The folder that has plugins/api and plugins/sdk").TypeName("DIR");
  app.Footer(
      "Examples:\n"
      "  reprise plugin new agiletime\n"
      "  reprise plugin new lab --folder ~/src/lab-plugin");
  return [flags](Context& context) { return Make(context, *flags); };
}

}  // namespace reprise::cli
