#include "plugins/host/kept_file.h"

#include <algorithm>

namespace reprise::host {

using sdk::Json;

std::filesystem::path KeptFiles::Content(const std::string& key, const std::string& sha256) const {
  return notes_.folder() / (key + "." + sha256);
}

void KeptFiles::Keep(const sdk::Context& context, const std::string& key, const std::optional<Spot>& spot,
                     const FileState& before, std::vector<std::string> folders_to_make) const {
  notes_.MakeFolder();
  const std::optional<KeptFile> earlier = Find(key);
  if (earlier && earlier->before == before) {
    for (const std::string& folder : earlier->made_folders) {
      if (std::find(folders_to_make.begin(), folders_to_make.end(), folder) == folders_to_make.end()) {
        folders_to_make.push_back(folder);
      }
    }
    std::sort(folders_to_make.begin(), folders_to_make.end());  // A folder stands before what is in it.
  }
  if (before.kind == FileKind::kRegular) {
    const sdk::Fd from = OpenToRead(*spot);
    const std::filesystem::path content = Content(key, before.sha256);
    Replace(context, *FindSpot(content), Source{.fd = from.get()}, 0600, geteuid(), getegid());
    const sdk::Fd copy = OpenToRead(*FindSpot(content));
    if (HashOf(context, copy.get()) != before.sha256) {
      throw sdk::Error("changed_meanwhile", spot->path + " was changed while it was kept", "try again");
    }
  }
  notes_.Put(key, {{"path", spot ? spot->path : ""},
                   {"existed", before.kind == FileKind::kRegular},
                   {"sha256", before.sha256},
                   {"size", before.size},
                   {"mode", before.mode},
                   {"uid", before.uid},
                   {"gid", before.gid},
                   {"made_folders", folders_to_make}});
  if (earlier && !earlier->content.empty() && earlier->before.sha256 != before.sha256) {
    sdk::RemoveFile(earlier->content);
  }
}

std::optional<KeptFile> KeptFiles::Find(const std::string& key) const {
  const std::optional<Json> note = notes_.Get(key);
  if (!note) return std::nullopt;
  KeptFile kept;
  try {
    if (note->at("existed").get<bool>()) {
      kept.before = {.kind = FileKind::kRegular,
                     .what = "file",
                     .size = note->at("size"),
                     .sha256 = note->at("sha256"),
                     .mode = note->at("mode"),
                     .uid = note->at("uid"),
                     .gid = note->at("gid")};
      kept.content = Content(key, kept.before.sha256);
    }
    kept.made_folders = note->at("made_folders").get<std::vector<std::string>>();
  } catch (const Json::exception& error) {
    throw sdk::Error("notes_broken", "the note about this file cannot be read: " + std::string(error.what()),
                     "look at " + (notes_.folder() / (key + ".json")).string());
  }
  return kept;
}

void KeptFiles::Forget(const std::string& key) const {
  const std::optional<KeptFile> kept = Find(key);
  notes_.Forget(key);
  if (kept && !kept->content.empty()) sdk::RemoveFile(kept->content);
}

}  // namespace reprise::host
