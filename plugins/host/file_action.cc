#include "plugins/host/file_action.h"

#include "plugins/host/kept_file.h"
#include "plugins/host/spot.h"
#include "plugins/host/wanted_file.h"
#include "plugins/sdk/process.h"

namespace reprise::host {
namespace {

using namespace reprise::sdk;

[[noreturn]] void RefuseKind(const std::string& path, const FileState& state) {
  throw Error("not_a_file", path + " is a " + state.what + ", expected a file or nothing",
              "it is not replaced: move it away, or name the file that it leads to");
}

std::string ShownWanted(const Context& context, const WantedFile& wanted, mode_t mode) {
  const bool open_to_all = (mode & 0004) != 0 && !context.Param<bool>("sensitive");
  const std::string text = context.Param("content", std::string());
  if (context.Has("content") && open_to_all && IsShowable(text)) return text;
  return "file of " + std::to_string(wanted.size) + " bytes, sha256 " + wanted.sha256;
}

Claim ClaimOf(const Context& context, bool holds, const std::string& detail) {
  return {context.Param("claim"), holds ? ClaimState::kHolds : ClaimState::kFails, detail};
}

// The folders to make on the way. Throws unless they may be made.
std::vector<std::string> FoldersToMake(const Context& context, const WantedFile& wanted,
                                       const std::optional<Spot>& spot) {
  std::vector<std::string> missing = MissingFolders(wanted.path);
  if (!spot && missing.empty()) {
    throw Error("not_a_folder", "something on the way to " + wanted.path + " is no folder",
                "look at it with: namei -l " + wanted.path);
  }
  if (!missing.empty() && !context.Param<bool>("make_folders")) {
    throw Error("no_folder", "folder " + missing.front() + " is not there", "make_folders: true makes it");
  }
  return missing;
}

}  // namespace

ActionInfo FileAction::Describe() const {
  return {.name = "file",
          .summary = "Keep a file with a content, a mode and an owner",
          .undoable = true,
          .needs = {.paths = {"/"}},
          .timeout = "10m",
          .memory_mb = 256,
          .params = {Path("path").Required().About("The file"),
                     Text("content").AtMost(65536).About("What it holds: this text"),
                     Name("artifact").About("What it holds: this file of the step"),
                     Text("mode").AtMost(5).About("Octal, in quotes: \"0644\". Without: as it is, or 0644"),
                     Name("owner").AtMost(64).About("User, by name or number. Without: as it is"),
                     Name("group").AtMost(64).About("Group, by name or number. Without: as it is"),
                     Boolean("make_folders").Default(false).About("Make the folders that are missing, mode 0755"),
                     Boolean("sensitive").Default(false).About("Show hashes only, never the content"),
                     Name("claim").AtMost(64).Default("host.file").About("What the host is said to fulfil")}};
}

ProbeResult FileAction::Probe(Context& context) {
  const WantedFile wanted = WantedFile::From(context);
  const FileState found = Look(context, FindSpot(wanted.path));
  const bool holds = wanted.IsMetBy(found);
  return {.holds = holds,
          .summary = wanted.path + (holds ? " is as wanted" : " is not as wanted: " + found.what),
          .observed = {{"what", found.what},
                       {"size", found.size},
                       {"sha256", found.sha256},
                       {"mode", Octal(found.mode)},
                       {"uid", found.uid},
                       {"gid", found.gid}},
          .evidence = {{"file", wanted.path + ": " + Shown(found)}},
          .claims = {ClaimOf(context, holds, Shown(found))}};
}

PlanResult FileAction::Plan(Context& context) {
  const WantedFile wanted = WantedFile::From(context);
  const std::optional<Spot> spot = FindSpot(wanted.path);
  const FileState found = Look(context, spot);
  if (wanted.IsMetBy(found)) return {{}, "nothing to do"};
  if (found.kind == FileKind::kOther) RefuseKind(wanted.path, found);
  PlanResult plan;
  for (const std::string& folder : FoldersToMake(context, wanted, spot)) {
    plan.changes.push_back({"folder " + folder, "nothing", "folder, mode 0755"});
  }
  if (found.sha256 != wanted.sha256) {
    plan.changes.push_back({"file " + wanted.path, ShownContent(context, spot, found),
                            ShownWanted(context, wanted, wanted.ModeFor(found))});
  }
  const bool exists = found.kind == FileKind::kRegular;
  const std::string mode = Octal(wanted.ModeFor(found));
  if (!exists || mode != Octal(found.mode)) {
    plan.changes.push_back({"mode of " + wanted.path, exists ? Octal(found.mode) : "", mode});
  }
  const auto owner = [](uid_t uid, gid_t gid) { return std::to_string(uid) + ":" + std::to_string(gid); };
  const std::string to = owner(wanted.UidFor(found), wanted.GidFor(found));
  if (!exists || to != owner(found.uid, found.gid)) {
    plan.changes.push_back({"owner of " + wanted.path, exists ? owner(found.uid, found.gid) : "", to});
  }
  plan.summary = exists ? "replace one file" : "write one file";
  return plan;
}

ApplyResult FileAction::Apply(Context& context) {
  const WantedFile wanted = WantedFile::From(context);
  std::optional<Spot> spot = FindSpot(wanted.path);
  const FileState before = Look(context, spot);
  if (wanted.IsMetBy(before)) return {false, "already so"};
  if (before.kind == FileKind::kOther) RefuseKind(wanted.path, before);
  const std::vector<std::string> missing = FoldersToMake(context, wanted, spot);
  context.Progress(0.1, "keeping what is there");
  KeptFiles().Keep(context, wanted.Key(), spot, before, missing);
  if (!spot) spot = MakeSpot(wanted.path);
  context.Progress(0.5, "writing " + wanted.path);
  const OpenSource open = OpenContent(context);
  Replace(context, *spot, open.source, wanted.ModeFor(before), wanted.UidFor(before), wanted.GidFor(before));
  return {true, "written: " + wanted.path};
}

VerifyResult FileAction::Verify(Context& context) {
  const WantedFile wanted = WantedFile::From(context);
  RunOptions options;
  options.environment["LC_ALL"] = "C";
  const RunResult about = Run(context, {"stat", "--format=%F,%a,%u,%g", "--", wanted.path}, options);
  const RunResult sum = Run(context, {"sha256sum", "--", wanted.path}, options);
  // A name with a backslash or a line feed makes the line start with a backslash.
  const std::string hash = sum.out.substr(sum.out.rfind("\\", 0) == 0 ? 1 : 0, 64);
  const std::string said = about.out.substr(0, about.out.find('\n'));
  const bool regular = said.rfind("regular", 0) == 0;
  FileState seen{.kind = regular ? FileKind::kRegular : FileKind::kOther, .what = said, .sha256 = hash};
  unsigned mode = 0, uid = 0, gid = 0;
  const bool read =
      std::sscanf(said.substr(std::min(said.find(','), said.size())).c_str(), ",%o,%u,%u", &mode, &uid, &gid) == 3;
  seen.mode = mode, seen.uid = uid, seen.gid = gid;
  const bool holds = about.ok() && sum.ok() && read && wanted.IsMetBy(seen);
  return {.holds = holds,
          .summary = wanted.path + (holds ? " reads as written" : " does not read as written"),
          .evidence = {{"command", "stat: " + (about.ok() ? said : about.Why())},
                       {"command", "sha256sum: " + (sum.ok() ? hash : sum.Why())}},
          .claims = {ClaimOf(context, holds, said)}};
}

RollbackResult FileAction::Rollback(Context& context) {
  const WantedFile wanted = WantedFile::From(context);
  const KeptFiles files;
  const std::optional<KeptFile> kept = files.Find(wanted.Key());
  if (!kept) return {"nothing to undo: this step changed nothing on this host"};
  const std::optional<Spot> spot = FindSpot(wanted.path);
  const FileState now = Look(context, spot);
  std::string summary = "is as it was before";
  if (now != kept->before) {
    if (!wanted.IsMetBy(now)) {
      throw Error("changed_since",
                  wanted.path + " is neither as this step wrote it nor as it was before: " + Shown(now),
                  kept->content.empty() ? "there was no file before: remove it by hand if it is not wanted"
                                        : "what was there before is kept in " + kept->content.string());
    }
    if (kept->before.kind == FileKind::kAbsent) {
      Remove(*spot);
      summary = "removed: there was none before";
    } else {
      const std::optional<Spot> kept_spot = FindSpot(kept->content);
      if (Look(context, kept_spot).sha256 != kept->before.sha256) {
        throw Error("notes_broken", kept->content.string() + " is not the content that was kept",
                    "restore it from a backup");
      }
      const Fd content = OpenToRead(*kept_spot);
      Replace(context, *spot, Source{.fd = content.get()}, kept->before.mode, kept->before.uid, kept->before.gid);
      summary = "restored: " + Shown(kept->before);
    }
  }
  for (auto folder = kept->made_folders.rbegin(); folder != kept->made_folders.rend(); ++folder) RemoveFolder(*folder);
  files.Forget(wanted.Key());
  return {wanted.path + " " + summary};
}

}  // namespace reprise::host
