// Folder names as IMAP writes them (RFC 3501, 5.1.3: modified UTF-7), and paths of levels as one such name.
#pragma once

#include <string>
#include <string_view>

#include "plugins/mail/store.h"

namespace reprise::mail {

// What is no UTF-8 becomes U+FFFD.
std::string ToModifiedUtf7(std::string_view utf8);
// Of a server that writes names otherwise: what cannot be read so stays as it is.
std::string FromModifiedUtf7(std::string_view text);

// How one server writes paths.
struct NameStyle {
  char delimiter = '/';  // 0: the server has no levels.
  std::string prefix;    // Of the user's own folders, as "INBOX."; not of the inbox itself.

  // The path as this style can have it: a level that has the delimiter in it gets a character that looks like it.
  FolderPath Fit(const FolderPath& path) const;
  // Fits it first.
  std::string Write(const FolderPath& path) const;
  FolderPath Read(std::string_view name) const;
};

}  // namespace reprise::mail
