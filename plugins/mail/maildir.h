// A Maildir tree as a source: Maildir++ (".Archives.2022") and nested folders ("Archives/2022"). Only read: no file is changed,
// moved or touched, so it may be a restored one that nothing may write to.
//
// UIDs are those of dovecot-uidlist or courierimapuiddb where these are; else the messages are numbered in the order of their
// delivery, and uid_validity stands for exactly this set of messages: it is another one as soon as one comes or goes.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "plugins/mail/store.h"
#include "plugins/sdk/context.h"

namespace reprise::mail {

class Maildir : public Source {
 public:
  // Throws Error "no_mailbox": there is no Maildir at `root`.
  Maildir(const sdk::Context& context, const std::filesystem::path& root);

  std::vector<Folder> Folders() override;
  // Holds the names of the folder's files.
  FolderState Open(const FolderPath& path) override;
  void List(uint32_t first, uint32_t last, const std::function<void(const Listed&)>& each) override;
  bool Read(uint32_t uid, const Sink& sink) override;

 private:
  struct File {
    std::string name;    // "1660000000.M1P2.host,S=12,W=13:2,FS"; what is before ":2," stays as long as the message is.
    bool fresh = false;  // In new/.
  };

  void Find(const std::filesystem::path& folder, const FolderPath& path);
  std::map<uint32_t, File> Scan(const std::filesystem::path& folder, FolderState* state) const;
  std::filesystem::path PathOf(const File& file) const;
  Listed ListedOf(uint32_t uid, const File& file) const;

  const sdk::Context& context_;
  const std::filesystem::path root_;
  std::map<FolderPath, std::filesystem::path> folders_;
  std::filesystem::path open_;
  std::map<uint32_t, File> files_;
  std::vector<std::string> keywords_;  // Of the open folder: letters a to z.
};

}  // namespace reprise::mail
