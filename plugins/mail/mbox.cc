#include "plugins/mail/mbox.h"

#include <algorithm>
#include <set>

#include "plugins/mail/imap_errors.h"
#include "plugins/mail/maildir_names.h"
#include "plugins/mail/maildir_text.h"
#include "plugins/mail/utf7.h"

namespace reprise::mail {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDepthMax = 32;

bool IsInbox(const std::string& name) {
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return upper == "INBOX";
}

bool IsMbox(const fs::path& path) {
  const sdk::Fd fd = OpenToRead(path);
  std::string start;
  if (fd) ReadPieces(fd.get(), 0, 1024, [&](std::string_view piece) { start += piece; });
  return fd && (start.empty() || ParseFromLine(std::string_view(start).substr(0, start.find('\n'))).has_value());
}

}  // namespace

Mbox::Mbox(const sdk::Context& context, const fs::path& root) : context_(context), root_(root) {
  const fs::file_status status = fs::symlink_status(root_);
  if (fs::is_regular_file(status)) {
    files_[{"INBOX"}] = root_;
  } else if (fs::is_directory(status)) {
    Find(root_, {});
  } else {
    throw StoreError("no_mailbox", "there is no mbox file and no folder of them for one of the users below the profile's root");
  }
}

void Mbox::Find(const fs::path& folder, const FolderPath& path) {
  if (path.size() > kDepthMax) throw sdk::Error("bad_store", "folders lie deeper than " + std::to_string(kDepthMax) + " levels");
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename();
    if (name[0] == '.' || (path.empty() && name == "subscriptions")) continue;
    const fs::file_status status = entry.symlink_status();
    // Thunderbird's: "Archives.sbd" is below "Archives", "Archives.msf" is an index.
    const bool below = fs::is_directory(status) && name.size() > 4 && name.substr(name.size() - 4) == ".sbd";
    if (below) name.resize(name.size() - 4);
    FolderPath levels = path;
    levels.push_back(path.empty() && IsInbox(name) ? "INBOX" : FromModifiedUtf7(name));
    if (fs::is_directory(status)) {
      Find(entry.path(), levels);
    } else if (fs::is_regular_file(status) && IsMbox(entry.path())) {
      files_[levels] = entry.path();
    }
  }
}

std::vector<Folder> Mbox::Folders() {
  std::set<FolderPath> subscribed;
  for (const char* name : {"subscriptions", ".subscriptions"}) {
    std::string text;
    const sdk::Fd fd = fs::is_directory(root_) ? OpenToRead(root_ / name) : sdk::Fd();
    if (fd) ReadPieces(fd.get(), 0, 16 << 20, [&](std::string_view piece) { text += piece; });
    for (FolderPath& path : ParseSubscriptions(text, '/')) subscribed.insert(std::move(path));
  }
  std::vector<Folder> found;
  for (const auto& [path, file] : files_) found.push_back({path, true, subscribed.count(path) > 0, {}});
  return found;
}

FolderState Mbox::Open(const FolderPath& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) throw StoreError("no_folder", "the store has no such folder");
  const sdk::Fd fd = OpenToRead(found->second);
  if (!fd) throw StoreError("no_folder", "the folder's file is no more");
  index_ = IndexMbox(fd.get(), [&] { context_.ThrowIfCancelled(); });
  open_path_ = found->second;
  return {index_.uid_validity, index_.uid_next, index_.messages.size()};
}

void Mbox::List(uint32_t first, uint32_t last, const std::function<void(const Listed&)>& each) {
  for (const MboxMessage& message : index_.messages) {
    if (message.uid >= first && message.uid <= last) each({message.uid, message.bytes, message.date, message.flags});
  }
}

bool Mbox::Read(uint32_t uid, const Sink& sink) {
  const auto found = std::lower_bound(index_.messages.begin(), index_.messages.end(), uid,
                                      [](const MboxMessage& message, uint32_t wanted) { return message.uid < wanted; });
  if (found == index_.messages.end() || found->uid != uid) return false;
  const sdk::Fd fd = OpenToRead(open_path_);
  struct stat now {};
  if (!fd || fstat(fd.get(), &now) != 0 || static_cast<uint64_t>(now.st_size) != index_.file_bytes ||
      now.st_mtim.tv_sec * 1'000'000'000 + now.st_mtim.tv_nsec != index_.changed_ns) {
    throw StoreError("changed", "a file of the store was written to while it was read");
  }
  ReadMboxMessage(fd.get(), *found, [&](std::string_view piece) {
    context_.ThrowIfCancelled();
    sink(piece);
  });
  return true;
}

}  // namespace reprise::mail
