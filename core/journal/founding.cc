#include "core/journal/founding.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/journal/sqlite_journal.h"
#include "core/model/keyring.h"

namespace reprise::journal {

absl::Status FoundJournal(const std::filesystem::path& path, const plan::v1::SignedStatement& keyring,
                          const std::string& founder, UnixMs now) {
  RETURN_IF_ERROR(model::Keyring::Found(keyring, "").status());
  ASSIGN_OR_RETURN(const auto journal, SqliteJournal::Create(path));
  v1::Event event;
  event.set_at_ms(now);
  event.set_actor(absl::StrCat("operator:", founder));
  *event.mutable_keyring_extended()->mutable_statement() = keyring;
  return journal->Append({event});
}

}  // namespace reprise::journal
