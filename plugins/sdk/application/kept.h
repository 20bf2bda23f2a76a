// Files that an action writes on the host, with what was there before noted first, so that undoing brings it back.
#pragma once

#include <string>
#include <vector>

#include "plugins/sdk/application/profile.h"
#include "plugins/sdk/application/supervised.h"
#include "plugins/sdk/notes.h"

namespace reprise::sdk::application {

inline bool IsAsWanted(const KeptFile& file) {
  struct stat found {};
  return ReadFileIfThere(file.path) == file.content && stat(file.path.c_str(), &found) == 0 && (found.st_mode & 07777) == file.mode;
}

// The note `key` holds what was, of each path, as it was first.
inline void WriteKept(const Notes& notes, const std::string& key, const std::vector<KeptFile>& files) {
  Json note = notes.Get(key).value_or(Json::object());
  for (const KeptFile& file : files) {
    if (note.contains(file.path)) continue;
    const auto before = ReadFileIfThere(file.path, 256 << 10);
    struct stat found {};
    if (before && stat(file.path.c_str(), &found) != 0) ThrowErrno(errno, "look at " + file.path);
    note[file.path] = before ? Json{{"content", *before}, {"mode", found.st_mode & 07777}} : Json();
  }
  notes.Put(key, note);
  for (const KeptFile& file : files) {
    if (IsAsWanted(file)) continue;
    MakeOpenFolder(std::filesystem::path(file.path).parent_path());
    WriteFileAtomically(file.path, file.content, file.mode);
  }
}

// True if there was something to bring back.
inline bool BringBack(const Notes& notes, const std::string& key) {
  const auto note = notes.Get(key);
  if (!note) return false;
  for (const auto& [path, before] : note->items()) {
    if (before.is_null()) {
      RemoveFile(path);
    } else {
      WriteFileAtomically(path, before.at("content").get<std::string>(), before.at("mode").get<mode_t>());
    }
  }
  notes.Forget(key);
  return true;
}

}  // namespace reprise::sdk::application
