// What a plugin remembers on the host from one verb to another: above all, how things were before apply, so that
// rollback can restore them. Small JSON objects, each by its key. Readable by root only; still no place for secrets.
//
// Put returns once the note is durable: put it before the effect that it is about. A verb killed in between leaves a
// note about something that did not happen, never an effect that nobody remembers. Actions that keep notes name the
// folder in needs.paths: "/var/lib/reprise-plugins/<plugin>".
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "plugins/sdk/error.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/params.h"

namespace reprise::sdk {

class Notes {
 public:
  // Makes nothing yet. `base` differs in tests only.
  explicit Notes(const std::string& plugin, const std::filesystem::path& base = "/var/lib/reprise-plugins")
      : folder_(base / plugin) {}

  const std::filesystem::path& folder() const { return folder_; }

  // REQUIRES in all of these: `key` passes IsName; at most 200 bytes.
  // Throws Error "notes_broken" if there is a note that cannot be read.
  std::optional<Json> Get(const std::string& key) const;
  void Put(const std::string& key, const Json& note) const;
  // True if there was one.
  bool Forget(const std::string& key) const { return RemoveFile(File(key)); }

  // The folder, made if it is missing: for what is too large for a note. Throws Error "unsafe_path" if others may write
  // it.
  void MakeFolder() const;

 private:
  std::filesystem::path File(const std::string& key) const;
  std::filesystem::path folder_;
};

// ---- implementation ----

inline std::filesystem::path Notes::File(const std::string& key) const {
  if (!IsName(key) || key.size() > 200)
    throw Error("internal", "a note's key is " + key.substr(0, 80) + ", expected a name");
  return folder_ / (key + ".json");
}

inline std::optional<Json> Notes::Get(const std::string& key) const {
  const auto text = ReadFileIfThere(File(key));
  if (!text) return std::nullopt;
  Json note = Json::parse(*text, nullptr, false);
  if (!note.is_object()) {
    throw Error("notes_broken", File(key).string() + " is no JSON object: what was before is not known",
                "look at the file; once it is taken away, this step is as if it had never been applied");
  }
  return note;
}

inline void Notes::MakeFolder() const {
  for (const std::filesystem::path& folder : {folder_.parent_path(), folder_}) {
    if (mkdir(folder.c_str(), 0700) == 0) {
      SyncFolder(folder.parent_path());
    } else if (errno != EEXIST) {
      ThrowErrno(errno, "make " + folder.string());
    }
    struct stat found {};
    if (lstat(folder.c_str(), &found) != 0) ThrowErrno(errno, "look at " + folder.string());
    if (!S_ISDIR(found.st_mode) || found.st_uid != geteuid() || (found.st_mode & 022) != 0) {
      throw Error("unsafe_path", folder.string() + " is not a folder that only this user may write",
                  "move it away: it is made anew");
    }
  }
}

inline void Notes::Put(const std::string& key, const Json& note) const {
  MakeFolder();
  WriteFileAtomically(File(key), note.dump(-1, ' ', false, Json::error_handler_t::replace), 0600);
}

}  // namespace reprise::sdk
