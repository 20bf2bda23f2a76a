// Files in the mbox format as a source: one file is one folder, a folder of the disk is a level above. Only read.
//
// A message begins at a line "From SENDER DATE" at the file's start or after an empty line. Lines ">From " stay as they are, as all
// servers show them: of what was quoted nothing is known. What mail servers keep in headers of their own (Status, X-Status,
// X-Keywords, X-UID, X-IMAP, X-IMAPbase, Content-Length) is read and is no part of the message. UIDs are those of X-UID where all
// messages have them; else messages are numbered, and uid_validity stands for exactly this file.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "plugins/mail/mbox_index.h"
#include "plugins/mail/store.h"
#include "plugins/sdk/context.h"

namespace reprise::mail {

class Mbox : public Source {
 public:
  // `root`: a file, which is the inbox; or a folder of files. Throws Error "no_mailbox".
  Mbox(const sdk::Context& context, const std::filesystem::path& root);

  std::vector<Folder> Folders() override;
  // Reads the file once, and holds where its messages begin.
  FolderState Open(const FolderPath& path) override;
  void List(uint32_t first, uint32_t last, const std::function<void(const Listed&)>& each) override;
  // Throws Error "changed" when the file is no longer as it was opened.
  bool Read(uint32_t uid, const Sink& sink) override;

 private:
  void Find(const std::filesystem::path& folder, const FolderPath& path);

  const sdk::Context& context_;
  const std::filesystem::path root_;
  std::map<FolderPath, std::filesystem::path> files_;
  std::filesystem::path open_path_;
  MboxIndex index_;
};

}  // namespace reprise::mail
