#include "plugins/sanitize/bundle.h"

#include <algorithm>

#include "plugins/sdk/manifest.h"

namespace reprise::sanitize {
namespace {

namespace fs = std::filesystem;
using sdk::Error;

[[noreturn]] void Broken(const std::string& what) {
  throw Error("bundle_broken", "the evidence is not what was kept: " + what,
              "keep it as it is, and find out who changed it; take evidence anew under another case");
}

Json ReadJson(const fs::path& path) {
  Json json = Json::parse(sdk::ReadFile(path, 256 << 20), nullptr, false);
  if (!json.is_array()) Broken(path.string() + " is no list");
  return json;
}

KeptFile KeptFileFromJson(const Json& json) {
  try {
    return {.path = GetText(json, "path"),
            .sha256 = json.at("sha256"),
            .target = GetText(json, "target"),
            .mode = json.at("mode"),
            .uid = json.at("uid"),
            .gid = json.at("gid"),
            .size = json.at("size"),
            .accessed_ns = json.at("accessed_ns"),
            .modified_ns = json.at("modified_ns"),
            .changed_ns = json.at("changed_ns"),
            .attributes = json.at("attributes")};
  } catch (const Json::exception& error) {
    Broken(std::string("metadata.json: ") + error.what());
  }
}

}  // namespace

Json ToJson(const KeptFile& file) {
  Json json = {{"sha256", file.sha256},
               {"mode", file.mode},
               {"uid", file.uid},
               {"gid", file.gid},
               {"size", file.size},
               {"accessed_ns", file.accessed_ns},
               {"modified_ns", file.modified_ns},
               {"changed_ns", file.changed_ns},
               {"attributes", file.attributes}};
  PutText(json, "path", file.path);
  PutText(json, "target", file.target);
  return json;
}

std::vector<std::string> EvidenceFolders() { return {"/var/lib/reprise-evidence", "/srv", "/mnt", "/media"}; }

fs::path Bundle::FolderOf(const sdk::Context& context) {
  const std::string evidence = fs::path(context.Param("evidence")).lexically_normal();
  const std::vector<std::string> allowed = EvidenceFolders();
  if (std::none_of(allowed.begin(), allowed.end(), [&](const std::string& folder) { return IsBelow(evidence, folder); })) {
    throw Error("bad_params", "parameter evidence is " + evidence.substr(0, 80) +
                                  ", expected a folder below /var/lib/reprise-evidence, /srv, /mnt or /media");
  }
  return fs::path(evidence) / context.Param("case");
}

std::optional<Bundle> Bundle::Open(const sdk::Context& context, const fs::path& folder) {
  const auto manifest = sdk::ReadFileIfThere(folder / "MANIFEST", 256 << 20);
  if (!manifest) {
    std::error_code ignored;
    if (fs::exists(folder, ignored)) Broken(folder.string() + " has no MANIFEST");
    return std::nullopt;
  }
  const sdk::Manifest kept = sdk::ParseManifest(*manifest);
  sdk::Manifest found = sdk::ManifestOf(context, folder);
  std::erase_if(found.files, [](const sdk::ManifestFile& file) { return file.path == "MANIFEST"; });
  if (!found.problems.empty()) Broken(found.problems.front());
  const auto [ours, theirs] =
      std::mismatch(kept.files.begin(), kept.files.end(), found.files.begin(), found.files.end());
  if (ours != kept.files.end()) Broken(ours->path + " is missing, or has another content");
  if (theirs != found.files.end()) Broken(theirs->path + " is not in MANIFEST");
  Bundle bundle;
  bundle.folder_ = folder;
  bundle.manifest_sha256_ = kept.Sha256();
  bundle.bytes_ = kept.Bytes();
  bundle.files_ = kept.files.size();
  std::set<std::string> listed;
  for (const sdk::ManifestFile& file : kept.files) listed.insert(file.path);
  for (const char* part : {"findings.json", "metadata.json"}) {
    if (!listed.contains(part)) Broken(std::string(part) + " is missing");
  }
  for (const Json& json : ReadJson(folder / "findings.json")) bundle.findings_.push_back(FindingFromJson(json));
  for (const Json& json : ReadJson(folder / "metadata.json")) {
    KeptFile file = KeptFileFromJson(json);
    if (file.target.empty() && !listed.contains("files/" + file.sha256)) Broken("the content of " + file.path + " is missing");
    bundle.kept_[file.path] = std::move(file);
  }
  return bundle;
}

const Finding* Bundle::Find(const std::string& id) const {
  const auto found = std::find_if(findings_.begin(), findings_.end(), [&](const Finding& f) { return f.Id() == id; });
  return found == findings_.end() ? nullptr : &*found;
}

const KeptFile* Bundle::File(const std::string& path) const {
  const auto found = kept_.find(path);
  return found == kept_.end() ? nullptr : &found->second;
}

bool Bundle::Keeps(const std::string& sha256) const {
  std::error_code ignored;
  return sha256.size() == 64 && fs::exists(Content(sha256), ignored);
}

std::vector<sdk::Param> BundleParams() {
  return {sdk::Path("evidence").Default("/var/lib/reprise-evidence").About("Folder of all cases; readable by root only"),
          sdk::Name("case").Required().AtMost(64).About("Names the evidence: one a host and examination")};
}

}  // namespace reprise::sanitize
