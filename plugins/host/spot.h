// A file as a folder's descriptor and a name in it, so that nobody can change what is meant between looking and
// writing.
//
// The way to the folder follows symbolic links only where root (or this user) made them: a link that somebody else put
// there leads nowhere. The last component is never followed.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "plugins/sdk/context.h"
#include "plugins/sdk/file.h"

namespace reprise::host {

struct Spot {
  sdk::Fd folder;
  std::string name;
  std::string path;  // For messages.
};

// Nothing if its folder is not there. Throws Error "bad_params" (no file's path), "unsafe_path".
std::optional<Spot> FindSpot(const std::string& path);
// Makes the folders that are missing, 0755.
Spot MakeSpot(const std::string& path);
// The folders that MakeSpot would make, outermost first.
std::vector<std::string> MissingFolders(const std::string& path);

enum class FileKind { kAbsent, kRegular, kOther };

struct FileState {
  FileKind kind = FileKind::kAbsent;
  std::string what = "nothing";  // "file", "symbolic link", "folder", …
  int64_t size = 0;
  std::string sha256;  // Of a regular file.
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;

  bool operator==(const FileState&) const = default;
};

FileState Look(const sdk::Context& context, const std::optional<Spot>& spot);
// The file, open for reading. Throws if it is no regular file.
sdk::Fd OpenToRead(const Spot& spot);
std::string HashOf(const sdk::Context& context, int fd);

// What is written: bytes from a text or from an open file.
struct Source {
  std::string text;
  int fd = -1;
};

// Content, owner and mode at once: the old file or the new one, whatever happens in between.
void Replace(const sdk::Context& context, const Spot& spot, const Source& source, mode_t mode, uid_t uid, gid_t gid);
// True if there was one. Removes a symbolic link itself, not what it leads to.
bool Remove(const Spot& spot);
// Only if it is empty.
void RemoveFolder(const std::string& path);

}  // namespace reprise::host
