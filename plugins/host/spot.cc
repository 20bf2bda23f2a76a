#include "plugins/host/spot.h"

#include <limits.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>

#include "plugins/sdk/sha256.h"

namespace reprise::host {
namespace {

using sdk::Error;
using sdk::Fd;
using sdk::ThrowErrno;

constexpr int kLinksMax = 40;  // As the kernel has it.
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

std::deque<std::string> Components(const std::string& path) {
  std::deque<std::string> all;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string one = path.substr(begin, end - begin);
    if (!one.empty() && one != ".") all.push_back(one);
    begin = end + 1;
  }
  return all;
}

// Walks down from the root. `missing` gets the folders that are not there; without it they are made.
class Walk {
 public:
  Walk(std::string path, std::vector<std::string>* missing) : path_(std::move(path)), missing_(missing) {}

  // The folder of the last component; nothing if it is missing and not to be made.
  std::optional<Spot> ToItsFolder() {
    todo_ = Components(path_);
    if (todo_.empty() || path_.back() == '/' || path_.ends_with("/.")) {
      throw Error("bad_params", "parameter path is " + path_ + ", expected the path of a file");
    }
    const std::string name = todo_.back();
    todo_.pop_back();
    if (name.size() > NAME_MAX) throw Error("bad_params", "the file's name is longer than 255 bytes");
    Restart();
    while (!todo_.empty()) {
      const std::string one = todo_.front();
      todo_.pop_front();
      if (!Enter(one)) return std::nullopt;
    }
    Fd folder(openat(at_.get(), ".", kFolderFlags));
    if (!folder) ThrowErrno(errno, "open the folder of " + path_);
    return Spot{std::move(folder), name, path_};
  }

 private:
  void Restart() {
    at_ = Fd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!at_) ThrowErrno(errno, "open /");
    walked_.clear();
  }

  bool Enter(const std::string& name) {
    Fd next(openat(at_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next && errno == ENOENT) {
      if (missing_ != nullptr) return RecordMissing(name);
      if (mkdirat(at_.get(), name.c_str(), 0755) != 0 && errno != EEXIST)
        ThrowErrno(errno, "make a folder of " + path_);
      if (Fd parent(openat(at_.get(), ".", kFolderFlags)); parent) fsync(parent.get());
      next = Fd(openat(at_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!next) ThrowErrno(errno, "open a folder of " + path_);
    struct stat found {};
    if (fstat(next.get(), &found) != 0) ThrowErrno(errno, "look at a folder of " + path_);
    if (S_ISLNK(found.st_mode)) return Follow(next, found, name);
    if (!S_ISDIR(found.st_mode)) {
      if (missing_ != nullptr) return false;
      ThrowErrno(ENOTDIR, "open the folder of " + path_);
    }
    at_ = std::move(next);
    walked_ += "/" + name;
    return true;
  }

  bool Follow(const Fd& link, const struct stat& found, const std::string& name) {
    if (found.st_uid != 0 && found.st_uid != geteuid()) {
      throw Error(
          "unsafe_path",
          walked_ + "/" + name + " is a symbolic link of user " + std::to_string(found.st_uid) + ", not of root",
          "give the path that it leads to, if that is meant");
    }
    if (++links_ > kLinksMax) ThrowErrno(ELOOP, "follow " + path_);
    char target[PATH_MAX];
    const ssize_t size = readlinkat(link.get(), "", target, sizeof target);
    if (size < 0 || size == sizeof target) ThrowErrno(size < 0 ? errno : ENAMETOOLONG, "follow " + path_);
    const std::string to(target, static_cast<size_t>(size));
    const std::deque<std::string> more = Components(to);
    todo_.insert(todo_.begin(), more.begin(), more.end());
    if (to.front() == '/') Restart();
    return true;
  }

  bool RecordMissing(const std::string& name) {
    std::string folder = walked_ + "/" + name;
    missing_->push_back(folder);
    for (const std::string& below : todo_) missing_->push_back(folder += "/" + below);
    return false;
  }

  const std::string path_;
  std::vector<std::string>* const missing_;
  std::deque<std::string> todo_;
  std::string walked_;
  Fd at_;
  int links_ = 0;
};

const char* WhatIs(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file";
    case S_IFLNK:
      return "symbolic link";
    case S_IFDIR:
      return "folder";
    case S_IFIFO:
      return "pipe";
    case S_IFSOCK:
      return "socket";
    default:
      return "device";
  }
}

// Calls `take` with each piece of the file from its start.
template <typename Take>
void EachPiece(const sdk::Context& context, int fd, const Take& take) {
  static thread_local char buffer[256 << 10];
  for (off_t at = 0;;) {
    context.ThrowIfCancelled();
    const ssize_t count = pread(fd, buffer, sizeof buffer, at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) ThrowErrno(errno, "read");
    if (count == 0) return;
    take(std::string_view(buffer, static_cast<size_t>(count)));
    at += count;
  }
}

void WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) ThrowErrno(errno, "write " + path);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

// Always the same name: what a killed verb left is overwritten by the next, and never piles up.
std::string TemporaryName(const std::string& name) {
  return "." + name.substr(0, NAME_MAX - 16) + ".reprise-new";
}

}  // namespace

std::optional<Spot> FindSpot(const std::string& path) {
  std::vector<std::string> missing;
  return Walk(path, &missing).ToItsFolder();
}

Spot MakeSpot(const std::string& path) {
  return *Walk(path, nullptr).ToItsFolder();
}

std::vector<std::string> MissingFolders(const std::string& path) {
  std::vector<std::string> missing;
  Walk(path, &missing).ToItsFolder();
  return missing;
}

FileState Look(const sdk::Context& context, const std::optional<Spot>& spot) {
  if (!spot) return {};
  struct stat found {};
  if (fstatat(spot->folder.get(), spot->name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    ThrowErrno(errno, "look at " + spot->path);
  }
  FileState state{.kind = FileKind::kOther, .what = WhatIs(found.st_mode)};
  if (S_ISREG(found.st_mode)) {
    const Fd fd = OpenToRead(*spot);
    if (fstat(fd.get(), &found) != 0) ThrowErrno(errno, "look at " + spot->path);
    state.kind = FileKind::kRegular;
    state.sha256 = HashOf(context, fd.get());
    state.size = found.st_size;
  }
  state.mode = found.st_mode & 07777;
  state.uid = found.st_uid;
  state.gid = found.st_gid;
  return state;
}

Fd OpenToRead(const Spot& spot) {
  Fd fd(openat(spot.folder.get(), spot.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) ThrowErrno(errno, "open " + spot.path);
  struct stat found {};
  if (fstat(fd.get(), &found) != 0) ThrowErrno(errno, "look at " + spot.path);
  if (!S_ISREG(found.st_mode))
    throw Error("not_a_file", spot.path + " is a " + WhatIs(found.st_mode) + ", expected a file");
  return fd;
}

std::string HashOf(const sdk::Context& context, int fd) {
  sdk::Sha256 hash;
  EachPiece(context, fd, [&](std::string_view piece) { hash.Update(piece); });
  return hash.Hex();
}

void Replace(const sdk::Context& context, const Spot& spot, const Source& source, mode_t mode, uid_t uid, gid_t gid) {
  const std::string temporary = TemporaryName(spot.name);
  const int folder = spot.folder.get();
  unlinkat(folder, temporary.c_str(), 0);
  Fd fd(openat(folder, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) ThrowErrno(errno, "create a file beside " + spot.path);
  try {
    if (source.fd < 0) {
      WriteAll(fd.get(), source.text, spot.path);
    } else {
      EachPiece(context, source.fd, [&](std::string_view piece) { WriteAll(fd.get(), piece, spot.path); });
    }
    // The owner first: chown takes setuid away.
    if (fchown(fd.get(), uid, gid) != 0) ThrowErrno(errno, "give an owner to " + spot.path);
    if (fchmod(fd.get(), mode) != 0) ThrowErrno(errno, "give a mode to " + spot.path);
    if (fsync(fd.get()) != 0) ThrowErrno(errno, "write " + spot.path);
    if (renameat(folder, temporary.c_str(), folder, spot.name.c_str()) != 0) ThrowErrno(errno, "replace " + spot.path);
  } catch (...) {
    unlinkat(folder, temporary.c_str(), 0);
    throw;
  }
  fsync(folder);
}

bool Remove(const Spot& spot) {
  if (unlinkat(spot.folder.get(), spot.name.c_str(), 0) == 0) {
    fsync(spot.folder.get());
    return true;
  }
  if (errno == ENOENT) return false;
  ThrowErrno(errno, "remove " + spot.path);
}

void RemoveFolder(const std::string& path) {
  const std::optional<Spot> spot = FindSpot(path);
  if (!spot || unlinkat(spot->folder.get(), spot->name.c_str(), AT_REMOVEDIR) != 0) return;
  fsync(spot->folder.get());
}

}  // namespace reprise::host
