#include "plugins/edr/walk.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace reprise::edr {
namespace {

namespace fs = std::filesystem;

// These show the kernel's own state: there is no stored file to scan in them.
bool IsKernelView(const fs::path& path) {
  struct statfs found {};
  if (statfs(path.c_str(), &found) != 0) return false;
  constexpr long kViews[] = {PROC_SUPER_MAGIC,    SYSFS_MAGIC,      CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                             SECURITYFS_MAGIC,    DEBUGFS_MAGIC,    TRACEFS_MAGIC,      DEVPTS_SUPER_MAGIC,
                             BPF_FS_MAGIC,        PSTOREFS_MAGIC,   EFIVARFS_MAGIC,     SELINUX_MAGIC,
                             BINFMTFS_MAGIC,      0x19800202 /* mqueue */};
  return std::find(std::begin(kViews), std::end(kViews), static_cast<long>(found.f_type)) != std::end(kViews);
}

class Walker {
 public:
  Walker(const WalkOptions& options, const WalkVisitor& visitor) : options_(options), visitor_(visitor) {}

  void Start(const fs::path& path) {
    struct stat found {};
    if (IsExcluded(path)) return;
    if (lstat(path.c_str(), &found) != 0) return visitor_.unseen(path, std::strerror(errno));
    if (S_ISLNK(found.st_mode)) return visitor_.unseen(path, "a symbolic link: name what it points to");
    if (S_ISREG(found.st_mode)) {
      if (!visitor_.file(path)) ended_ = true;
    } else if (S_ISDIR(found.st_mode)) {
      device_ = found.st_dev;
      if (!IsKernelView(path)) Into(path, found.st_dev);
    } else {
      visitor_.unseen(path, "neither a file nor a folder");
    }
  }
  bool ended() const { return ended_; }

 private:
  bool IsExcluded(const fs::path& path) const {
    const std::string& text = path.native();
    return std::any_of(options_.exclude.begin(), options_.exclude.end(), [&](std::string prefix) {
      while (prefix.size() > 1 && prefix.back() == '/') prefix.pop_back();
      return text == prefix || prefix == "/" ||
             (text.size() > prefix.size() && text.compare(0, prefix.size(), prefix) == 0 && text[prefix.size()] == '/');
    });
  }

  void Into(const fs::path& folder, dev_t device) {
    std::error_code error;
    fs::directory_iterator at(folder, error), end;
    if (error) return visitor_.unseen(folder, error.message());
    while (at != end) {
      if (ended_ || !visitor_.go_on()) {
        ended_ = true;
        return;
      }
      One(at->path(), device);
      at.increment(error);
      if (error) return visitor_.unseen(folder, error.message());
    }
  }

  void One(const fs::path& path, dev_t device) {
    if (IsExcluded(path)) return;
    struct stat found {};
    if (lstat(path.c_str(), &found) != 0) {
      // Gone since its folder was read: there is nothing to scan any more.
      if (errno != ENOENT) visitor_.unseen(path, std::strerror(errno));
    } else if (S_ISREG(found.st_mode)) {
      if (!visitor_.file(path)) ended_ = true;
    } else if (S_ISDIR(found.st_mode)) {
      if (options_.one_file_system && found.st_dev != device_) return;
      if (found.st_dev != device && IsKernelView(path)) return;
      Into(path, found.st_dev);
    }
  }

  const WalkOptions& options_;
  const WalkVisitor& visitor_;
  dev_t device_ = 0;
  bool ended_ = false;
};

}  // namespace

void Walk(const std::vector<std::string>& paths, const WalkOptions& options, const WalkVisitor& visitor) {
  Walker walker(options, visitor);
  for (const std::string& path : paths) {
    if (walker.ended()) return;
    fs::path plain = fs::path(path).lexically_normal();
    if (!plain.has_filename() && plain.has_relative_path()) plain = plain.parent_path();  // "/srv/" is "/srv".
    walker.Start(plain);
  }
}

}  // namespace reprise::edr
