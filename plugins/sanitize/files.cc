#include "plugins/sanitize/files.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include <functional>

namespace reprise::sanitize {
namespace {

struct Place {
  sdk::Fd folder;
  std::string name;
};

Place PlaceOf(const Tree& tree, const std::string& path, bool make) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == 0 ? "/" : path.substr(0, slash);
  Place place = {tree.Open(folder, O_RDONLY | O_DIRECTORY), path.substr(slash + 1)};
  if (!place.folder && errno == ENOENT && make && folder != "/") {
    const Place above = PlaceOf(tree, folder, true);
    if (mkdirat(above.folder.get(), above.name.c_str(), 0755) != 0 && errno != EEXIST) sdk::ThrowErrno(errno, "make " + folder);
    place.folder = tree.Open(folder, O_RDONLY | O_DIRECTORY);
  }
  if (!place.folder && errno != ENOENT && errno != ENOTDIR) sdk::ThrowErrno(errno, "open " + folder);
  return place;
}

void TakeAttributesAway(int fd) {
  int flags = 0;
  if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return;  // This file system has none.
  constexpr int kStaying = FS_IMMUTABLE_FL | FS_APPEND_FL;
  if ((flags & kStaying) == 0) return;
  flags &= ~kStaying;
  ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

void Loosen(const Place& place) {
  TakeAttributesAway(place.folder.get());
  const sdk::Fd file(openat(place.folder.get(), place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (file) TakeAttributesAway(file.get());
}

// `fill` writes the content into the new file, which then takes its name.
// `finish` comes after the owner and mode, which take capabilities away.
void Replace(const Tree& tree, const std::string& path, const Look& look, const std::function<void(int)>& fill,
             const std::function<void(int)>& finish = [](int) {}) {
  const Place place = PlaceOf(tree, path, true);
  if (!place.folder) sdk::ThrowErrno(ENOENT, "open the folder of " + path);
  Loosen(place);
  const std::string partial = place.name.substr(0, 200) + ".reprise-new";
  const int folder = place.folder.get();
  unlinkat(folder, partial.c_str(), 0);
  sdk::Fd out(openat(folder, partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!out) sdk::ThrowErrno(errno, "create beside " + path);
  try {
    fill(out.get());
    if (fchown(out.get(), look.uid, look.gid) != 0) sdk::ThrowErrno(errno, "chown " + path);
    if (fchmod(out.get(), look.mode & 07777) != 0) sdk::ThrowErrno(errno, "chmod " + path);
    finish(out.get());
    if (fsync(out.get()) != 0) sdk::ThrowErrno(errno, "fsync " + path);
    if (renameat(folder, partial.c_str(), folder, place.name.c_str()) != 0) sdk::ThrowErrno(errno, "rename to " + path);
  } catch (...) {
    unlinkat(folder, partial.c_str(), 0);
    throw;
  }
  fsync(folder);
}

void WriteAll(int fd, const char* data, size_t size, const std::string& path) {
  for (size_t done = 0; done < size;) {
    const ssize_t count = write(fd, data + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) sdk::ThrowErrno(errno, "write " + path);
    done += static_cast<size_t>(count);
  }
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

void CopyContent(int to, const std::filesystem::path& from, const std::string& path) {
  const sdk::Fd in(open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!in) sdk::ThrowErrno(errno, "open " + from.string());
  std::string buffer(1 << 18, '\0');
  for (;;) {
    const ssize_t count = read(in.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) sdk::ThrowErrno(errno, "read " + from.string());
    if (count == 0) return;
    WriteAll(to, buffer.data(), static_cast<size_t>(count), path);
  }
}

}  // namespace

bool RemoveAt(const Tree& tree, const std::string& path) {
  const Place place = PlaceOf(tree, path, false);
  if (!place.folder) return false;
  Loosen(place);
  if (unlinkat(place.folder.get(), place.name.c_str(), 0) != 0) {
    if (errno == ENOENT) return false;
    sdk::ThrowErrno(errno, "remove " + path);
  }
  fsync(place.folder.get());
  return true;
}

void WriteAt(const Tree& tree, const std::string& path, const std::string& content, const Look& look) {
  Replace(tree, path, look, [&](int fd) { WriteAll(fd, content.data(), content.size(), path); });
}

void CopyTo(const Tree& tree, const std::string& path, const std::filesystem::path& from, const Look& look) {
  Replace(tree, path, look, [&](int fd) { CopyContent(fd, from, path); });
}

void ClearModeAt(const Tree& tree, const std::string& path) {
  const sdk::Fd fd = tree.Open(path, O_RDONLY | O_NOFOLLOW);
  struct stat found {};
  if (!fd || fstat(fd.get(), &found) != 0) sdk::ThrowErrno(errno, "open " + path);
  TakeAttributesAway(fd.get());
  if (fchmod(fd.get(), found.st_mode & 01777) != 0) sdk::ThrowErrno(errno, "chmod " + path);
  if (fremovexattr(fd.get(), "security.capability") != 0 && errno != ENODATA && errno != ENOTSUP) {
    sdk::ThrowErrno(errno, "take the capabilities of " + path + " away");
  }
  fsync(fd.get());
}

bool HasRights(const Tree& tree, const std::string& path) {
  const sdk::Fd fd = tree.Open(path, O_RDONLY | O_NOFOLLOW);
  struct stat found {};
  if (!fd || fstat(fd.get(), &found) != 0) return false;
  char value[64];
  return (found.st_mode & (S_ISUID | S_ISGID)) != 0 || fgetxattr(fd.get(), "security.capability", value, sizeof value) > 0;
}

void PutBack(const Tree& tree, const KeptFile& file, const std::filesystem::path& content) {
  const Look look = {file.mode, file.uid, file.gid};
  if (!file.target.empty()) {
    const Place place = PlaceOf(tree, file.path, true);
    RemoveAt(tree, file.path);
    if (!place.folder || symlinkat(file.target.c_str(), place.folder.get(), place.name.c_str()) != 0) {
      sdk::ThrowErrno(errno, "link " + file.path);
    }
    fsync(place.folder.get());
    return;
  }
  const auto fill = [&](int fd) { CopyContent(fd, content, file.path); };
  Replace(tree, file.path, look, fill, [&](int fd) {
    for (const auto& [name, value] : file.attributes) {
      const std::string bytes = FromHex(value);
      if (fsetxattr(fd, name.c_str(), bytes.data(), bytes.size(), 0) != 0 && errno != ENOTSUP) {
        sdk::ThrowErrno(errno, "give " + file.path + " back its attribute " + name);
      }
    }
    const auto time = [](int64_t ns) { return timespec{ns / 1'000'000'000, ns % 1'000'000'000}; };
    const timespec times[2] = {time(file.accessed_ns), time(file.modified_ns)};
    if (futimens(fd, times) != 0) sdk::ThrowErrno(errno, "give " + file.path + " back its times");
  });
}

}  // namespace reprise::sanitize
