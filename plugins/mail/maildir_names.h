// What stands in the names of a Maildir's files and folders, and in the lists that servers keep beside them. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/mail/store.h"

namespace reprise::mail {

struct MaildirName {
  std::string base;   // What is before ":2,".
  std::string flags;  // Letters after it.
};
MaildirName ParseMaildirName(const std::string& name);

// Letters as flags of IMAP, sorted; a to z are `keywords`.
std::vector<std::string> FlagsOf(const std::string& letters, const std::vector<std::string>& keywords);

// ",W=123" of a base name: the size with CRLF, as the server that wrote it counted.
std::optional<uint64_t> SizeInName(const std::string& base, char key);

// By time of delivery, then by name: the order in which messages came.
bool CameBefore(const std::string& base, const std::string& other);

// ".Archives.2022" or "Archives/2022" as levels. Dovecot's \2e and \2f are what they stand for.
FolderPath LevelsOf(std::string_view name, char delimiter);

struct UidList {
  uint32_t validity = 0;
  uint32_t next = 0;
  std::map<std::string, uint32_t> uids;  // By base name.
};
// Of dovecot-uidlist (version 3 or 1) and courierimapuiddb. Nothing if it is none.
std::optional<UidList> ParseUidList(const std::string& text);

// dovecot-keywords: "0 $Forwarded".
std::vector<std::string> ParseKeywords(const std::string& text);

// Of "subscriptions", in both of its versions.
std::vector<FolderPath> ParseSubscriptions(const std::string& text, char delimiter);

}  // namespace reprise::mail
