#include "plugins/mail/migration_closing.h"

#include <algorithm>

#include "plugins/mail/imap_store.h"

namespace reprise::mail {
namespace {

ImapStore& WithRights(Source& source) {
  auto* store = dynamic_cast<ImapStore*>(&source);
  if (store == nullptr) {
    throw sdk::Error("unsupported", "this source cannot be closed by rights: it is files",
                     "closing: read_only for a restored copy that nobody delivers to, by_gate where people close it");
  }
  return *store;
}

// "-name" takes rights away, it gives none.
bool Gives(const FolderRights& entry) {
  return !entry.who.starts_with("-") && entry.rights.find_first_of("ip") != std::string::npos;
}

}  // namespace

void CloseToNewMail(Source& source, const FolderPath& path) {
  ImapStore& store = WithRights(source);
  for (FolderRights entry : store.Rights(path)) {
    if (!Gives(entry)) continue;
    std::erase_if(entry.rights, [](char c) { return c == 'i' || c == 'p'; });
    store.SetRights(path, entry);
  }
}

bool IsClosedToNewMail(Source& source, const FolderPath& path) {
  const std::vector<FolderRights> entries = WithRights(source).Rights(path);
  return std::none_of(entries.begin(), entries.end(), Gives);
}

}  // namespace reprise::mail
