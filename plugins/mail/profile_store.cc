#include "plugins/mail/profile_store.h"

#include "plugins/mail/maildir.h"
#include "plugins/mail/mbox.h"

namespace reprise::mail {

std::unique_ptr<Source> OpenSource(const sdk::Context& context, const Profile& profile, const std::string& user,
                                   Credentials& credentials, Flow& flow) {
  switch (profile.kind) {
    case StoreKind::kMaildir: return std::make_unique<Maildir>(context, Expand(profile.root, user));
    case StoreKind::kMbox: return std::make_unique<Mbox>(context, Expand(profile.root, user));
    case StoreKind::kImap: break;
  }
  return OpenTarget(context, profile, user, credentials, flow);
}

std::unique_ptr<ImapStore> OpenTarget(const sdk::Context& context, const Profile& profile, const std::string& user,
                                      Credentials& credentials, Flow& flow) {
  if (profile.kind != StoreKind::kImap) {
    throw sdk::Error("bad_profile", "the target is no IMAP server: files are only read", "give the target a profile of kind imap");
  }
  return std::make_unique<ImapStore>(context, profile, user, credentials, flow);
}

}  // namespace reprise::mail
