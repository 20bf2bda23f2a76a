#include "plugins/mail/maildir.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "plugins/mail/imap_errors.h"
#include "plugins/mail/maildir_names.h"
#include "plugins/mail/maildir_text.h"
#include "plugins/sdk/sha256.h"

namespace reprise::mail {
namespace {

namespace fs = std::filesystem;
using sdk::Error;

constexpr int kDepthMax = 32;

bool IsMaildir(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(fs::symlink_status(folder / "cur", ignored));
}

std::vector<fs::path> FoldersIn(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    std::error_code ignored;
    if (fs::is_directory(it->symlink_status(ignored))) found.push_back(it->path());
  }
  if (failed) throw std::system_error(failed, "look into a folder of the Maildir");
  return found;
}

std::string TextOf(const fs::path& path) {
  std::string text;
  const sdk::Fd fd = OpenToRead(path.string());
  if (fd) ReadPieces(fd.get(), 0, uint64_t{256} << 20, [&](std::string_view piece) { text += piece; });
  return text;
}

// Of the names of messages; not 0.
uint32_t ValidityOf(const std::vector<std::string>& bases, uint32_t seed) {
  sdk::Sha256 hash;
  hash.Update(std::to_string(seed));
  for (const std::string& base : bases) hash.Update(base + "\n");
  uint32_t value = 0;
  const std::string hex = hash.Hex().substr(0, 8);
  std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  return value | 1;
}

}  // namespace

Maildir::Maildir(const sdk::Context& context, const fs::path& root) : context_(context), root_(root) {
  if (!IsMaildir(root_)) throw StoreError("no_mailbox", "there is no Maildir (no folder cur) for one of the users below the profile's root");
  Find(root_, {});
  folders_[{"INBOX"}] = root_;
}

void Maildir::Find(const fs::path& folder, const FolderPath& path) {
  if (path.size() > kDepthMax) throw Error("bad_store", "folders lie deeper than " + std::to_string(kDepthMax) + " levels");
  for (const fs::path& below : FoldersIn(folder)) {
    const std::string name = below.filename();
    if (name == "cur" || name == "new" || name == "tmp") continue;
    const bool dotted = name[0] == '.';
    // Within a nested folder names with a dot in front are the server's own.
    if (dotted && (!path.empty() || !IsMaildir(below))) continue;
    FolderPath levels = path;
    for (std::string& level : LevelsOf(name, dotted ? '.' : '/')) levels.push_back(std::move(level));
    if (IsMaildir(below) && !folders_.emplace(levels, below).second) {
      throw Error("bad_store", "two folders of the Maildir have one name");
    }
    if (!dotted) Find(below, levels);
  }
}

std::vector<Folder> Maildir::Folders() {
  std::set<FolderPath> subscribed;
  const bool nested = std::any_of(folders_.begin(), folders_.end(), [&](const auto& one) { return one.second != root_ && one.second.filename().string()[0] != '.'; });
  for (const char* name : {"subscriptions", "courierimapsubscribed"}) {
    for (FolderPath& path : ParseSubscriptions(TextOf(root_ / name), nested ? '/' : '.')) subscribed.insert(std::move(path));
  }
  std::vector<Folder> found;
  for (const auto& [path, folder] : folders_) found.push_back({path, true, subscribed.count(path) > 0, {}});
  return found;
}

std::map<uint32_t, Maildir::File> Maildir::Scan(const fs::path& folder, FolderState* state) const {
  std::map<std::string, File> files;  // By base name: a message that moves meanwhile is met twice.
  for (const char* part : {"new", "cur"}) {
    std::error_code failed;
    for (fs::directory_iterator it(folder / part, failed), end; !failed && it != end; it.increment(failed)) {
      const std::string name = it->path().filename();
      if (name[0] == '.') continue;
      if (files.size() % 1024 == 0) context_.ThrowIfCancelled();
      files[ParseMaildirName(name).base] = {name, part == std::string("new")};
    }
    if (failed && failed != std::errc::no_such_file_or_directory) throw std::system_error(failed, "look into a folder of the Maildir");
  }
  std::optional<UidList> list = ParseUidList(TextOf(folder / "dovecot-uidlist"));
  if (!list) list = ParseUidList(TextOf(folder / "courierimapuiddb"));

  std::map<uint32_t, File> by_uid;
  std::vector<std::string> unnumbered;
  for (const auto& [base, file] : files) {
    const auto found = list ? list->uids.find(base) : std::map<std::string, uint32_t>::iterator();
    if (!list || found == list->uids.end() || !by_uid.emplace(found->second, file).second) unnumbered.push_back(base);
  }
  std::sort(unnumbered.begin(), unnumbered.end(), CameBefore);
  uint32_t next = list ? std::max<uint32_t>(list->next, 1) : 1;
  for (const std::string& base : unnumbered) by_uid.emplace(next++, files[base]);
  if (state != nullptr) {
    state->uid_validity = list && unnumbered.empty() ? list->validity : ValidityOf(unnumbered, list ? list->validity : 0);
    state->uid_next = next;
    state->messages = by_uid.size();
  }
  return by_uid;
}

FolderState Maildir::Open(const FolderPath& path) {
  const auto found = folders_.find(path);
  if (found == folders_.end()) throw StoreError("no_folder", "the Maildir has no such folder");
  FolderState state;
  files_ = Scan(found->second, &state);
  open_ = found->second;
  keywords_ = ParseKeywords(TextOf(open_ / "dovecot-keywords"));
  return state;
}

fs::path Maildir::PathOf(const File& file) const { return open_ / (file.fresh ? "new" : "cur") / file.name; }

Listed Maildir::ListedOf(uint32_t uid, const File& file) const {
  Listed listed;
  const sdk::Fd fd = OpenToRead(PathOf(file));
  struct stat found {};
  if (!fd || fstat(fd.get(), &found) != 0) return listed;
  listed.uid = uid;
  listed.date = {found.st_mtim.tv_sec, 0};
  const MaildirName name = ParseMaildirName(file.name);
  listed.flags = FlagsOf(name.flags, keywords_);
  const auto size = SizeInName(name.base, 'S'), wide = SizeInName(name.base, 'W');
  if (size && wide && *size == static_cast<uint64_t>(found.st_size) && *wide >= *size) {
    listed.bytes = *wide;
  } else {
    CrlfCounter counter;
    ReadPieces(fd.get(), 0, UINT64_MAX, [&](std::string_view piece) { counter.Put(piece); });
    listed.bytes = counter.bytes();
  }
  return listed;
}

void Maildir::List(uint32_t first, uint32_t last, const std::function<void(const Listed&)>& each) {
  for (auto it = files_.lower_bound(first); it != files_.end() && it->first <= last; ++it) {
    context_.ThrowIfCancelled();
    const Listed listed = ListedOf(it->first, it->second);
    if (listed.uid != 0) each(listed);
  }
}

bool Maildir::Read(uint32_t uid, const Sink& sink) {
  const auto found = files_.find(uid);
  if (found == files_.end()) return false;
  sdk::Fd fd = OpenToRead(PathOf(found->second));
  if (!fd) {
    // Its flags are part of its name: they may have changed.
    const std::string base = ParseMaildirName(found->second.name).base;
    for (const auto& [other_uid, other] : Scan(open_, nullptr)) {
      if (ParseMaildirName(other.name).base == base) found->second = other;
    }
    fd = OpenToRead(PathOf(found->second));
    if (!fd) return false;
  }
  char start[2] = {};
  if (pread(fd.get(), start, sizeof start, 0) == 2 && start[0] == '\x1f' && start[1] == '\x8b') {
    throw StoreError("compressed", "a message of the Maildir is compressed (Dovecot's zlib): read it through its server");
  }
  CrlfWriter writer(sink);
  ReadPieces(fd.get(), 0, UINT64_MAX, [&](std::string_view piece) {
    context_.ThrowIfCancelled();
    writer.Put(piece);
  });
  return true;
}

}  // namespace reprise::mail
