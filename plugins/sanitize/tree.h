// The files of the host that is looked at: this very one ("/"), or a disk of another that is mounted here, which no rootkit
// of its own can hide anything on. Every path is taken inside the root: a link that an intruder laid does not lead out.
// Throws std::system_error for what cannot be looked at; what is not there is a value.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "plugins/sdk/file.h"

namespace reprise::sanitize {

class Tree {
 public:
  // Throws sdk::Error "bad_root".
  explicit Tree(const std::string& root);

  // The host that runs this: it has processes too.
  bool live() const { return root_ == "/"; }
  // How this process names a path of the tree.
  std::string On(const std::string& path) const { return live() ? path : root_ + path; }

  // Follows links (inside the root), never blocks. Negative with errno set.
  sdk::Fd Open(const std::string& path, int flags = O_RDONLY) const;
  // Of a link: the link.
  std::optional<struct stat> Look(const std::string& path) const;
  std::optional<std::string> Read(const std::string& path, size_t max = 4 << 20) const;
  // Sorted; empty if there is no such folder.
  std::vector<std::string> Names(const std::string& folder) const;
  std::string LinkTarget(const std::string& path) const;
  // Where `path` leads, if it is there.
  std::optional<std::string> Real(const std::string& path) const;
  // Of a link: of its target. Empty: not there, or neither file nor link.
  std::string Sha256(const std::string& path) const;

 private:
  std::string root_;
  sdk::Fd fd_;
};

// Hex, from an open file to its end.
std::string Sha256OfFd(int fd);

bool IsBelow(const std::string& path, const std::string& folder);
// Lines without their ends.
std::vector<std::string> Lines(const std::string& text);
std::string Trimmed(const std::string& text);

}  // namespace reprise::sanitize
