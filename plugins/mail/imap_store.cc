#include "plugins/mail/imap_store.h"

#include <libetpan/acl.h>
#include <libetpan/namespace.h>

#include <algorithm>

namespace reprise::mail {
namespace {

void TakePrefixes(const mailimap_namespace_item* item, std::vector<std::string>& into) {
  if (item == nullptr) return;
  for (clistiter* one = clist_begin(item->ns_data_list); one != nullptr; one = clist_next(one)) {
    const auto* space = static_cast<mailimap_namespace_info*>(clist_content(one));
    if (space->ns_prefix != nullptr) into.push_back(space->ns_prefix);
  }
}

bool IsSpecialUse(const std::string& flag) {
  static const std::set<std::string> uses = {"\\All",  "\\Archive", "\\Drafts", "\\Flagged",
                                             "\\Junk", "\\Sent",    "\\Trash",  "\\Important"};
  return uses.count(flag) > 0;
}

Folder FolderOf(const mailimap_mailbox_list& listed, const NameStyle& names) {
  Folder folder;
  folder.path = names.Read(listed.mb_name);
  if (listed.mb_flag == nullptr) return folder;
  folder.selectable = listed.mb_flag->mbf_type != MAILIMAP_MBX_LIST_FLAGS_SFLAG || listed.mb_flag->mbf_sflag != MAILIMAP_MBX_LIST_SFLAG_NOSELECT;
  if (listed.mb_flag->mbf_oflags == nullptr) return folder;
  for (clistiter* one = clist_begin(listed.mb_flag->mbf_oflags); one != nullptr; one = clist_next(one)) {
    const auto* other = static_cast<mailimap_mbx_list_oflag*>(clist_content(one));
    if (other->of_type != MAILIMAP_MBX_LIST_OFLAG_FLAG_EXT || other->of_flag_ext == nullptr) continue;
    const std::string flag = std::string("\\") + other->of_flag_ext;
    if (flag == "\\NonExistent") folder.selectable = false;
    if (flag == "\\Subscribed") folder.subscribed = true;
    if (IsSpecialUse(flag)) folder.special_use.push_back(flag);
  }
  std::sort(folder.special_use.begin(), folder.special_use.end());
  return folder;
}

}  // namespace

ImapStore::ImapStore(const sdk::Context& context, const Profile& profile, const std::string& user, Credentials& credentials, Flow& flow)
    : session_(context, profile, user, credentials, flow) {
  LearnNames();
}

void ImapStore::LearnNames() {
  session_.Ask("LIST \"\" \"\"", "LIST");
  if (const clist* lists = session_.info().rsp_mailbox_list; lists != nullptr && clist_begin(lists) != nullptr) {
    names_.delimiter = static_cast<mailimap_mailbox_list*>(clist_content(clist_begin(lists)))->mb_delimiter;
  }
  if (!session_.Can("NAMESPACE")) return;
  session_.Ask("NAMESPACE", "NAMESPACE");
  const clist* extensions = session_.info().rsp_extension_list;
  for (clistiter* one = extensions == nullptr ? nullptr : clist_begin(extensions); one != nullptr; one = clist_next(one)) {
    const auto* extension = static_cast<mailimap_extension_data*>(clist_content(one));
    if (extension->ext_extension->ext_id != MAILIMAP_EXTENSION_NAMESPACE) continue;
    const auto* spaces = static_cast<mailimap_namespace_data*>(extension->ext_data);
    std::vector<std::string> own;
    TakePrefixes(spaces->ns_personal, own);
    if (!own.empty()) names_.prefix = own[0];
    TakePrefixes(spaces->ns_other, foreign_);
    TakePrefixes(spaces->ns_shared, foreign_);
  }
  foreign_.erase(std::remove(foreign_.begin(), foreign_.end(), ""), foreign_.end());
}

std::vector<Folder> ImapStore::Folders() {
  const bool extended = session_.Can("LIST-EXTENDED");
  session_.Ask(extended && session_.Can("SPECIAL-USE") ? "LIST \"\" \"*\" RETURN (SUBSCRIBED SPECIAL-USE)"
               : extended                              ? "LIST \"\" \"*\" RETURN (SUBSCRIBED)"
                                                       : "LIST \"\" \"*\"",
               "LIST");
  std::vector<Folder> folders;
  const auto each = [&](const clist* lists, const auto& body) {
    for (clistiter* one = lists == nullptr ? nullptr : clist_begin(lists); one != nullptr; one = clist_next(one)) {
      const auto& listed = *static_cast<mailimap_mailbox_list*>(clist_content(one));
      const std::string name = listed.mb_name;
      // "Public." is the prefix; "Public" is listed too.
      const bool foreign = std::any_of(foreign_.begin(), foreign_.end(), [&](const std::string& prefix) {
        return name.rfind(prefix, 0) == 0 || name + listed.mb_delimiter == prefix;
      });
      if (!foreign) body(FolderOf(listed, names_));
    }
  };
  each(session_.info().rsp_mailbox_list, [&](Folder folder) { folders.push_back(std::move(folder)); });
  if (!extended) {
    session_.Ask("LSUB \"\" \"*\"", "LSUB");
    each(session_.info().rsp_mailbox_lsub, [&](const Folder& subscribed) {
      for (Folder& folder : folders) folder.subscribed = folder.subscribed || folder.path == subscribed.path;
    });
  }
  std::sort(folders.begin(), folders.end(), [](const Folder& a, const Folder& b) { return a.path < b.path; });
  return folders;
}

uint32_t ImapStore::messages() const { return session_.selection() == nullptr ? 0 : session_.selection()->sel_exists; }

FolderState ImapStore::Open(const FolderPath& path) {
  open_.reset();
  writable_ = false;
  sizes_.clear();
  const std::string name = names_.Write(path);
  session_.Select(name, false);
  if (session_.selection()->sel_uidvalidity == 0) throw StoreError("bad_answer", "the mail server gives a folder no UIDVALIDITY");
  open_ = name;
  return {session_.selection()->sel_uidvalidity, session_.selection()->sel_uidnext, messages()};
}

void ImapStore::OpenToWrite() {
  if (!open_) throw sdk::Error("internal", "no folder is open");
  if (writable_) return;
  const uint32_t before = session_.selection()->sel_uidvalidity;
  session_.Select(*open_, true);
  if (session_.selection()->sel_uidvalidity != before) {
    open_.reset();
    throw StoreError("no_folder", "the folder that was open is another one now (its UIDVALIDITY changed)");
  }
  writable_ = true;
}

void ImapStore::Create(const Folder& folder) {
  const std::string name = names_.Write(folder.path);
  try {
    if (name != "INBOX") session_.Ask("CREATE " + Quoted(name), "CREATE");
  } catch (const StoreError& error) {
    if (error.code() != "exists") {
      // Some say only NO: a folder that can be asked about is there.
      try {
        session_.Ask("STATUS " + Quoted(name) + " (UIDVALIDITY)", "STATUS");
      } catch (const StoreError& second) {
        if (WhetherAgain(second.code()) == Again::kReconnect) throw;
        throw error;
      }
    }
  }
  if (!folder.subscribed) return;
  try {
    session_.Ask("SUBSCRIBE " + Quoted(name), "SUBSCRIBE");
  } catch (const StoreError& error) {
    if (!IsFinalRefusal(error.code())) throw;  // It is there all the same: verify says that it is not subscribed.
  }
}

std::vector<FolderRights> ImapStore::Rights(const FolderPath& path) {
  if (!session_.Can("ACL")) throw StoreError("no_rights", "the server has no rights of folders (ACL)");
  session_.Ask("GETACL " + Quoted(names_.Write(path)), "GETACL");
  std::vector<FolderRights> found;
  const clist* extensions = session_.info().rsp_extension_list;
  for (clistiter* one = extensions == nullptr ? nullptr : clist_begin(extensions); one != nullptr; one = clist_next(one)) {
    const auto* extension = static_cast<mailimap_extension_data*>(clist_content(one));
    if (extension->ext_extension->ext_id != MAILIMAP_EXTENSION_ACL) continue;
    const auto* data = static_cast<mailimap_acl_acl_data*>(extension->ext_data);
    for (clistiter* pair = clist_begin(data->idrights_list); pair != nullptr; pair = clist_next(pair)) {
      const auto* rights = static_cast<mailimap_acl_identifier_rights*>(clist_content(pair));
      FolderRights one_more{rights->identifer, rights->rights};
      std::sort(one_more.rights.begin(), one_more.rights.end());
      found.push_back(std::move(one_more));
    }
  }
  return found;
}

void ImapStore::SetRights(const FolderPath& path, const FolderRights& rights) {
  if (!session_.Can("ACL")) throw StoreError("no_rights", "the server has no rights of folders (ACL)");
  session_.Ask("SETACL " + Quoted(names_.Write(path)) + " " + Quoted(rights.who) + " " + Quoted(rights.rights), "SETACL");
}

std::optional<uint64_t> ImapStore::LargestMessage() {
  constexpr std::string_view kLimit = "APPENDLIMIT=";
  for (const std::string& capability : session_.capabilities()) {
    if (capability.rfind(kLimit, 0) != 0) continue;
    uint64_t limit = 0;
    for (const char c : capability.substr(kLimit.size())) {
      if (c < '0' || c > '9' || limit > (uint64_t{1} << 56)) return std::nullopt;
      limit = limit * 10 + static_cast<uint64_t>(c - '0');
    }
    return limit;
  }
  return std::nullopt;
}

}  // namespace reprise::mail
