// The mailbox of one user, as its profile says: the one place that knows all kinds of stores.
#pragma once

#include <memory>
#include <string>

#include "plugins/mail/imap_store.h"
#include "plugins/mail/profile.h"

namespace reprise::mail {

// `credentials` and `flow` are shared by all mailboxes of this server, and outlive the store; Maildir and mbox need neither.
std::unique_ptr<Source> OpenSource(const sdk::Context& context, const Profile& profile, const std::string& user,
                                   Credentials& credentials, Flow& flow);
// Throws Error "bad_profile": only IMAP can be appended to.
std::unique_ptr<ImapStore> OpenTarget(const sdk::Context& context, const Profile& profile, const std::string& user,
                                      Credentials& credentials, Flow& flow);

}  // namespace reprise::mail
