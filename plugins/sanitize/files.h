// Changing single files of a tree, so that a kill in between leaves the old or the new. Links in folders do not lead out of
// the tree; the attributes with which intruders make their files stay (chattr +i, +a) are taken away first.
#pragma once

#include <string>

#include "plugins/sanitize/bundle.h"
#include "plugins/sanitize/tree.h"

namespace reprise::sanitize {

struct Look {
  mode_t mode = 0644;
  uid_t uid = 0;
  gid_t gid = 0;
};

// True if there was one.
bool RemoveAt(const Tree& tree, const std::string& path);
// Makes missing folders (0755).
void WriteAt(const Tree& tree, const std::string& path, const std::string& content, const Look& look);
void CopyTo(const Tree& tree, const std::string& path, const std::filesystem::path& from, const Look& look);
// SUID, SGID and file capabilities.
void ClearModeAt(const Tree& tree, const std::string& path);
// As it was kept: content, owner, mode, times, attributes.
void PutBack(const Tree& tree, const KeptFile& file, const std::filesystem::path& content);

// SUID, SGID or capabilities.
bool HasRights(const Tree& tree, const std::string& path);

}  // namespace reprise::sanitize
