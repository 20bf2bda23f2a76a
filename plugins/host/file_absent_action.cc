#include "plugins/host/file_absent_action.h"

#include <dirent.h>

#include <memory>

#include "plugins/host/spot.h"
#include "plugins/host/wanted_file.h"

namespace reprise::host {
namespace {

using namespace reprise::sdk;

// Throws unless it may be removed.
void CheckRemovable(const Context& context, const std::string& path, const FileState& found) {
  if (found.what == "folder" || found.what == "device") {
    throw Error("not_a_file", path + " is a " + found.what + ", expected a file", "this action removes files only");
  }
  if (context.Has("only_sha256") && found.sha256 != context.Param("only_sha256")) {
    throw Error("other_content",
                path + " has sha256 " + (found.sha256.empty() ? "(none: a " + found.what + ")" : found.sha256) +
                    ", expected " + context.Param("only_sha256"),
                "it is another file than the one that was to be removed: look at it");
  }
}

}  // namespace

ActionInfo FileAbsentAction::Describe() const {
  return {.name = "file-absent",
          .summary = "Remove a file for good",
          .effect = Effect::kDestroy,
          .needs = {.paths = {"/"}},
          .timeout = "1m",
          .memory_mb = 256,
          .params = {Path("path").Required().About("The file; a symbolic link is removed itself"),
                     Text("only_sha256").AtMost(64).About("Only if it has this content, as lower-case hex")}};
}

ProbeResult FileAbsentAction::Probe(Context& context) {
  const std::string path = context.Param("path");
  const FileState found = Look(context, FindSpot(path));
  const bool holds = found.kind == FileKind::kAbsent;
  return {.holds = holds,
          .summary = path + (holds ? " is not there" : " is there: " + found.what),
          .observed = {{"what", found.what}, {"sha256", found.sha256}},
          .evidence = {{"file", path + ": " + Shown(found)}}};
}

PlanResult FileAbsentAction::Plan(Context& context) {
  const std::string path = context.Param("path");
  const FileState found = Look(context, FindSpot(path));
  if (found.kind == FileKind::kAbsent) return {{}, "nothing to do"};
  CheckRemovable(context, path, found);
  return {{{"file " + path, Shown(found), "nothing"}}, "remove one file for good"};
}

ApplyResult FileAbsentAction::Apply(Context& context) {
  const std::string path = context.Param("path");
  const std::optional<Spot> spot = FindSpot(path);
  const FileState found = Look(context, spot);
  if (found.kind == FileKind::kAbsent) return {false, "already so"};
  CheckRemovable(context, path, found);
  Remove(*spot);
  return {true, "removed: " + path + ", which was " + Shown(found)};
}

VerifyResult FileAbsentAction::Verify(Context& context) {
  const std::string path = context.Param("path");
  const std::optional<Spot> spot = FindSpot(path);
  if (!spot) return {.holds = true, .summary = "its folder is not there either"};
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(fdopendir(dup(spot->folder.get())), closedir);
  if (!folder) ThrowErrno(errno, "list the folder of " + path);
  size_t entries = 0;
  bool listed = false;
  errno = 0;
  while (const dirent* entry = readdir(folder.get())) {
    ++entries;
    listed = listed || spot->name == entry->d_name;
  }
  if (errno != 0) ThrowErrno(errno, "list the folder of " + path);
  return {.holds = !listed,
          .summary = listed ? path + " is listed in its folder" : path + " is not listed in its folder",
          .evidence = {{"folder", std::to_string(entries) + " entries" +
                                      (listed ? ", it among them" : ", it is not among them")}}};
}

}  // namespace reprise::host
