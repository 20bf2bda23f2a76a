#include "plugins/sanitize/tree.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <memory>

#include "plugins/sanitize/digest.h"
#include "plugins/sdk/sha256.h"

namespace reprise::sanitize {
namespace {

bool IsAbsent(int number) { return number == ENOENT || number == ENOTDIR; }

std::string ReadLinkAt(int fd, const char* name) {
  std::string target(4096, '\0');
  const ssize_t length = readlinkat(fd, name, target.data(), target.size());
  if (length < 0) return "";
  target.resize(static_cast<size_t>(length));
  return target;
}

}  // namespace

Tree::Tree(const std::string& root) : root_(root) {
  while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
  fd_.Reset(open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd_) {
    throw sdk::Error("bad_root", "root " + root_ + ": " + std::generic_category().message(errno),
                     "give / or the folder on which the disk of the host is mounted");
  }
  // The kernel's own name for it, against which what is found below is compared.
  root_ = ReadLinkAt(AT_FDCWD, ("/proc/self/fd/" + std::to_string(fd_.get())).c_str());
  if (root_.empty()) throw sdk::Error("bad_root", "root " + root + " has no name");
}

sdk::Fd Tree::Open(const std::string& path, int flags) const {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC) | ((flags & O_PATH) != 0 ? 0 : O_NOCTTY | O_NONBLOCK);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = syscall(SYS_openat2, fd_.get(), path.c_str(), &how, sizeof how);
    // EAGAIN: something was renamed meanwhile, and the kernel could not tell whether it leads out.
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) return sdk::Fd(static_cast<int>(fd));
  }
}

std::optional<struct stat> Tree::Look(const std::string& path) const {
  const sdk::Fd fd = Open(path, O_PATH | O_NOFOLLOW);
  struct stat found {};
  if (fd && fstat(fd.get(), &found) == 0) return found;
  if (IsAbsent(errno)) return std::nullopt;
  sdk::ThrowErrno(errno, "look at " + path);
}

std::optional<std::string> Tree::Read(const std::string& path, size_t max) const {
  const sdk::Fd fd = Open(path);
  struct stat found {};
  if (!fd && IsAbsent(errno)) return std::nullopt;
  if (!fd || fstat(fd.get(), &found) != 0) sdk::ThrowErrno(errno, "open " + path);
  if (!S_ISREG(found.st_mode)) return std::nullopt;
  std::string content;
  char buffer[65536];
  for (;;) {
    const ssize_t count = read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) sdk::ThrowErrno(errno, "read " + path);
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
    if (content.size() > max) sdk::ThrowErrno(EFBIG, "read " + path);
  }
}

std::vector<std::string> Tree::Names(const std::string& folder) const {
  sdk::Fd fd = Open(folder, O_RDONLY | O_DIRECTORY);
  if (!fd && IsAbsent(errno)) return {};
  if (!fd) sdk::ThrowErrno(errno, "open " + folder);
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(fdopendir(dup(fd.get())), closedir);
  if (!opened) sdk::ThrowErrno(errno, "open " + folder);
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = readdir(opened.get()); errno = 0) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) sdk::ThrowErrno(errno, "read " + folder);
  std::sort(names.begin(), names.end());
  return names;
}

std::string Tree::LinkTarget(const std::string& path) const {
  const sdk::Fd fd = Open(path, O_PATH | O_NOFOLLOW);
  return fd ? ReadLinkAt(fd.get(), "") : "";
}

std::optional<std::string> Tree::Real(const std::string& path) const {
  const sdk::Fd fd = Open(path, O_PATH);
  if (!fd) return std::nullopt;
  std::string real = ReadLinkAt(AT_FDCWD, ("/proc/self/fd/" + std::to_string(fd.get())).c_str());
  if (live()) return real;
  if (!IsBelow(real, root_)) return std::nullopt;
  real.erase(0, root_.size());
  return real.empty() ? "/" : real;
}

std::string Tree::Sha256(const std::string& path) const {
  const auto found = Look(path);
  if (!found) return "";
  if (S_ISLNK(found->st_mode)) return sdk::Sha256OfText(LinkTarget(path));
  if (!S_ISREG(found->st_mode)) return "";
  const sdk::Fd fd = Open(path, O_RDONLY | O_NOFOLLOW);
  if (!fd) sdk::ThrowErrno(errno, "open " + path);
  return Sha256OfFd(fd.get());
}

std::string Sha256OfFd(int fd) {
  return DigestOfFd(fd, EVP_sha256());
}

bool IsBelow(const std::string& path, const std::string& folder) {
  if (folder == "/" || path == folder) return true;
  return path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 && path[folder.size()] == '/';
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string Trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace reprise::sanitize
