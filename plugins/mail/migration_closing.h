// A source that nobody can put mail into any more: the rights to insert and to post (RFC 4314: i, p) taken from all who have them.
#pragma once

#include "plugins/mail/store.h"

namespace reprise::mail {

// Throws Error "unsupported" where the store knows no such thing, "no_rights" where its server does not.
void CloseToNewMail(Source& source, const FolderPath& path);
// Asks the store itself.
bool IsClosedToNewMail(Source& source, const FolderPath& path);

}  // namespace reprise::mail
