#include "plugins/pacs/actions.h"
#include "plugins/pacs/claims.h"
#include "plugins/pacs/copy.h"
#include "plugins/pacs/place.h"
#include "plugins/pacs/stored_file.h"
#include "plugins/sdk/manifest.h"
#include "plugins/sdk/spelling.h"

namespace reprise::pacs {
namespace {

namespace fs = std::filesystem;
using sdk::Error;

constexpr const char* kHowToReplace =
    "stop this server (pacs.stop), then restore under another name: each has its own folder, and nothing is overwritten";

std::string WantedHash(const sdk::Context& context) {
  const std::string hash = context.Param("manifest_sha256");
  if (!sdk::manifest_internal::IsSha256(hash)) {
    throw Error("bad_params", "parameter manifest_sha256 is no SHA-256 in lower-case hex", "take it from the verdict of the recovery point");
  }
  return hash;
}

fs::path Source(const sdk::Context& context) { return context.Param<std::string>("source", ""); }

fs::path FileOf(const sdk::Context& context, const std::string& path) {
  const fs::path source = Source(context);
  if (source.empty()) return context.Artifact(path);
  return fs::is_directory(source) ? source / path : source;
}

struct RestoredStorage {
  bool there = false;
  std::string hash;  // Of what is in `restored` now.
  uint64_t files = 0, bytes = 0;
  uint64_t dicom = 0;
  std::string Shown() const {
    return std::to_string(files) + " files, " + std::to_string(bytes >> 20) + " MB, " + std::to_string(dicom) + " of them DICOM";
  }
};

// Reads everything.
RestoredStorage LookAt(const sdk::Context& context, const Place& place) {
  RestoredStorage standing;
  standing.there = fs::is_directory(place.restored());
  if (!standing.there) return standing;
  const sdk::Manifest manifest = sdk::ManifestOf(context, place.restored());
  standing.hash = manifest.problems.empty() ? manifest.Sha256() : "something that is no file is in it";
  standing.files = manifest.files.size();
  standing.bytes = manifest.Bytes();
  for (const sdk::ManifestFile& file : manifest.files) {
    context.ThrowIfCancelled();
    if (LookAtStored(place.restored() / file.path).kind == StoredKind::kDicom) ++standing.dicom;
  }
  return standing;
}

// Whether there is something to restore from, without reading all of it.
sdk::Claim DataFound(const sdk::Context& context, const RestoredStorage& standing) {
  if (standing.there) return Holds(kDataFound, standing.dicom > 0, standing.Shown() + " in the restored storage");
  const fs::path source = Source(context);
  if (source.empty()) {
    for (const auto& [name, path] : context.artifacts()) {
      const StoredFile found = LookAtStored(path);
      if (found.kind == StoredKind::kDicom) return Holds(kDataFound, true, "the artifacts have DICOM files");
    }
    return Holds(kDataFound, false, "no artifact is a DICOM file");
  }
  std::error_code none;
  if (!fs::exists(source, none)) return Holds(kDataFound, false, "there is no " + source.string());
  for (auto entry = fs::recursive_directory_iterator(source, none); !none && entry != fs::recursive_directory_iterator(); entry.increment(none)) {
    context.ThrowIfCancelled();
    if (entry->is_regular_file(none) && LookAtStored(entry->path()).kind == StoredKind::kDicom) {
      return Holds(kDataFound, true, "DICOM files in " + source.string());
    }
  }
  if (none) return Unknown(kDataFound, source.string() + " cannot be read: " + none.message());
  return Holds(kDataFound, false, "no DICOM file in " + source.string());
}

std::vector<sdk::Claim> Claims(const sdk::Context& context, const RestoredStorage& standing, bool holds, const std::string& detail) {
  return {DataFound(context, standing), Holds(kRestored, holds, detail)};
}

std::string DetailOf(const RestoredStorage& standing, const std::string& wanted) {
  if (!standing.there) return "nothing is restored here";
  if (standing.hash == wanted) return standing.Shown() + ", the very bytes of " + wanted.substr(0, 16) + "…";
  return "what is restored here is " + standing.hash.substr(0, 60) + ", expected " + wanted.substr(0, 16) + "…";
}

}  // namespace

sdk::ActionInfo Restore::Describe() const {
  return {.name = "restore",
          .summary = "Copy the storage of a judged recovery point to this imaging server",
          .effect = sdk::Effect::kChange,
          .undoable = true,
          .needs = {.root = true, .network = false, .paths = {"/srv/reprise"}},
          .timeout = "12h",
          .memory_mb = 512,
          .restores = true,
          .params = {NameParam(),
                     sdk::Path("source").About("Folder of the recovery point, attached read-only; absent: the step's artifacts"),
                     sdk::LikeSha256(sdk::Text("manifest_sha256").Required().AtMost(64).About("SHA-256 of the point's manifest, from its verdict"))}};
}

sdk::ProbeResult Restore::Probe(sdk::Context& context) {
  const Place place(context);
  const std::string wanted = WantedHash(context);
  const RestoredStorage standing = LookAt(context, place);
  const bool holds = standing.there && standing.hash == wanted;
  const std::string detail = DetailOf(standing, wanted);
  return {.holds = holds,
          .summary = detail,
          .observed = {{"files", standing.files}, {"bytes", standing.bytes}, {"dicom", standing.dicom}},
          .evidence = {{"manifest", place.restored().string() + ": " + detail}},
          .claims = Claims(context, standing, holds, detail)};
}

sdk::PlanResult Restore::Plan(sdk::Context& context) {
  const Place place(context);
  const std::string wanted = WantedHash(context);
  const RestoredStorage standing = LookAt(context, place);
  if (standing.hash == wanted) return {{}, "nothing to do"};
  const std::string folder = "folder " + place.restored().string();
  if (standing.there) {
    return {{{folder, standing.Shown() + " of another point, " + standing.hash.substr(0, 16) + "…",
              std::string("stays as it is: refused (occupied); ") + kHowToReplace}},
            "will be refused"};
  }
  const fs::path source = Source(context);
  const std::string from = source.empty() ? std::to_string(context.artifacts().size()) + " artifacts" : source.string();
  return {{{folder, "absent", "a copy of " + from}}, "copies the storage from " + from};
}

sdk::ApplyResult Restore::Apply(sdk::Context& context) {
  const Place place(context);
  const std::string wanted = WantedHash(context);
  const RestoredStorage standing = LookAt(context, place);
  if (standing.there && standing.hash == wanted) return {false, DetailOf(standing, wanted)};
  if (standing.there) {
    throw Error("occupied", place.restored().string() + ": " + DetailOf(standing, wanted),
                kHowToReplace);
  }
  const fs::path source = Source(context);
  context.Progress(0.0, "reading the recovery point");
  const sdk::Manifest manifest = sdk::RequireManifest(context, source, wanted);
  fs::create_directories(place.folder);
  CopyPoint(context, manifest, [&](const std::string& path) { return FileOf(context, path); }, place.restoring());
  context.Progress(0.8, "reading the copy");
  if (sdk::ManifestOf(context, place.restoring()).Sha256() != wanted) {
    // Left by a former one, or a disk that lies: not to be built upon.
    fs::remove_all(place.restoring());
    throw Error("copy_differs", "the copy in " + place.restoring().string() + " is not what was read; it was thrown away",
                "retry the step; if it happens again, look at the disk");
  }
  if (rename(place.restoring().c_str(), place.restored().c_str()) != 0) {
    sdk::ThrowErrno(errno, "rename " + place.restoring().string());
  }
  sdk::SyncFolder(place.folder);
  return {true, std::to_string(manifest.files.size()) + " files, " + std::to_string(manifest.Bytes() >> 20) + " MB copied"};
}

sdk::VerifyResult Restore::Verify(sdk::Context& context) {
  const Place place(context);
  const std::string wanted = WantedHash(context);
  const RestoredStorage standing = LookAt(context, place);
  const bool holds = standing.there && standing.hash == wanted;
  const std::string detail = DetailOf(standing, wanted);
  return {.holds = holds,
          .summary = detail,
          .evidence = {{"manifest", "every byte of " + place.restored().string() + " read again: " + detail}},
          .claims = Claims(context, standing, holds, detail)};
}

sdk::RollbackResult Restore::Rollback(sdk::Context& context) {
  const Place place(context);
  const bool there = fs::exists(place.restored()) || fs::exists(place.restoring());
  // Out of the way first: half a copy shall not be taken for one.
  if (fs::exists(place.restored())) {
    fs::remove_all(place.restoring());
    fs::rename(place.restored(), place.restoring());
    sdk::SyncFolder(place.folder);
  }
  fs::remove_all(place.restoring());
  std::error_code not_empty;
  fs::remove(place.folder, not_empty);
  return {there ? "the restored copy is gone" : "nothing was restored here"};
}

}  // namespace reprise::pacs
