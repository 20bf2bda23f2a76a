// WalkTree: every file of the host once, without following a link.
#include <dirent.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <algorithm>
#include <memory>

#include "plugins/sanitize/integrity.h"

namespace reprise::sanitize {
namespace {

// These show the kernel's own state, or another host's files.
bool IsElsewhere(int fd, std::string& what) {
  struct statfs found {};
  if (fstatfs(fd, &found) != 0) return false;
  constexpr long kViews[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC,          CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, SECURITYFS_MAGIC,
                             DEBUGFS_MAGIC,    TRACEFS_MAGIC,        DEVPTS_SUPER_MAGIC, BPF_FS_MAGIC,        PSTOREFS_MAGIC,
                             EFIVARFS_MAGIC,   0x19800202 /*mqueue*/, SELINUX_MAGIC,      BINFMTFS_MAGIC};
  constexpr long kRemote[] = {NFS_SUPER_MAGIC, 0xff534d42L /*cifs*/, 0xfe534d42L /*smb2*/, V9FS_MAGIC};
  const auto has = [&](const auto& list) {
    return std::find(std::begin(list), std::end(list), static_cast<long>(found.f_type)) != std::end(list);
  };
  if (has(kRemote)) what = "network file systems are their servers' business";
  return has(kViews) || !what.empty();
}

bool IsShell(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  for (const char* shell : {"sh", "bash", "dash", "zsh", "ksh", "busybox", "env", "find", "vim", "vi", "nano", "less", "more", "cp",
                            "mv", "tee", "dd", "awk", "gawk", "mawk", "sed", "python", "perl", "ruby", "php", "node", "tar",
                            "nmap", "docker", "systemctl", "ld.so"}) {
    if (name == shell || (name.compare(0, std::string_view(shell).size(), shell) == 0 &&
                          name.find_first_not_of("0123456789.", std::string_view(shell).size()) == std::string::npos)) {
      return true;
    }
  }
  return false;
}

class Walker {
 public:
  explicit Walker(Examination& on) : on_(on) {}

  void Into(const std::string& folder, int parent, const char* name, dev_t device, int depth) {
    if (depth > 200) return on_.report.Unseen(folder, "folders deeper than 200");
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
      if (errno != ENOENT) on_.report.Unseen(folder, std::generic_category().message(errno));
      return;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> opened(fdopendir(fd), closedir);
    struct stat self {};
    std::string elsewhere;
    if (fstat(fd, &self) != 0) return on_.report.Unseen(folder, std::generic_category().message(errno));
    if (self.st_dev != device && IsElsewhere(fd, elsewhere)) {
      if (!elsewhere.empty()) on_.report.Note(elsewhere, folder);
      return;
    }
    errno = 0;
    while (const dirent* entry = readdir(opened.get())) {
      const std::string_view here = entry->d_name;
      if (here != "." && here != ".." && !One(folder == "/" ? "/" + std::string(here) : folder + "/" + std::string(here), fd,
                                              entry->d_name, self.st_dev, depth)) {
        return;
      }
      errno = 0;
    }
    if (errno != 0) on_.report.Unseen(folder, std::generic_category().message(errno));
  }

  void Tell() { on_.report.Count("files_seen", files_); }

 private:
  bool One(const std::string& path, int folder, const char* name, dev_t device, int depth) {
    if (on_.IsExcluded(path)) {
      on_.report.Note("excluded by the step", path);
      return true;
    }
    struct stat found {};
    if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) on_.report.Unseen(path, std::generic_category().message(errno));
      return true;
    }
    if ((++files_ & 1023) == 0 && !on_.GoOn("the walk through all files")) over_ = true;
    if (over_) return false;
    if (S_ISDIR(found.st_mode)) {
      Into(path, folder, name, device, depth + 1);
    } else if (S_ISREG(found.st_mode)) {
      File(path, found, folder, name);
    } else if (S_ISLNK(found.st_mode)) {
      Link(path);
    }
    return !over_;
  }

  static bool IsSystem(const std::string& path) {
    for (const char* local : {"/usr/local", "/usr/src"}) {
      if (IsBelow(path, local)) return false;
    }
    for (const char* folder : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
      if (IsBelow(path, folder)) return true;
    }
    return false;
  }

  void File(const std::string& path, const struct stat& found, int folder, const char* name) {
    const PackagedFile* owner = on_.records.Find(path);
    if ((found.st_mode & (S_ISUID | S_ISGID)) != 0 && (found.st_mode & 0111) != 0) Suid(path, found, owner);
    if ((found.st_mode & 0111) != 0) Capabilities(path, owner);
    const bool in_memory = IsBelow(path, "/dev/shm");
    if (owner != nullptr) {
      if (owner->md5.empty() && IsSystem(path) && !on_.golden.contains(path)) NoSum(path, found, folder, name);
      return;
    }
    if ((!IsSystem(path) && !in_memory) || on_.golden.contains(path)) return;
    const std::string head = HeadOf(folder, name);
    if (!IsCode(path, found.st_mode, head)) return on_.report.Count("data files that no package owns", 1);
    on_.scan.push_back(path);
    if (on_.profile.IsGenerated(path)) return on_.report.Note("made by the system's own scripts", path);
    Finding finding = {.kind = in_memory ? "hidden_program" : "unowned_file",
                       .path = path,
                       .expected = in_memory ? "no program in memory" : "a package that owns it",
                       .found = std::string(head.compare(0, 4, "\x7f" "ELF") == 0 ? "a program or library" : "a script") +
                                ", owner uid " + std::to_string(found.st_uid),
                       .remedy = Remedy::kRemoveFile,
                       .sha256 = on_.tree.Sha256(path)};
    on_.report.Add(std::move(finding));
  }

  // The records of a package that lack the sum of a program: taken out, perhaps, so that it is not compared.
  void NoSum(const std::string& path, const struct stat& found, int folder, const char* name) {
    if (IsCode(path, found.st_mode, HeadOf(folder, name))) {
      on_.report.Unseen(path, "its package has no sum of it, and no golden manifest knows it");
    }
  }

  static std::string HeadOf(int folder, const char* name) {
    const sdk::Fd fd(openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    char bytes[4];
    const ssize_t count = fd ? pread(fd.get(), bytes, sizeof bytes, 0) : 0;
    return count > 0 ? std::string(bytes, static_cast<size_t>(count)) : "";
  }

  bool ShipsWithRights(const std::string& path) const {
    return std::find(on_.profile.suid.begin(), on_.profile.suid.end(), path) != on_.profile.suid.end();
  }

  void Suid(const std::string& path, const struct stat& found, const PackagedFile* owner) {
    if (owner != nullptr && ShipsWithRights(path)) return;
    const bool uid = (found.st_mode & S_ISUID) != 0;
    on_.report.Add({.kind = "suid",
                    .path = path,
                    .expected = owner != nullptr ? "no SUID or SGID, or a program known to ship with it" : "a package that owns it",
                    .found = std::string(uid ? "SUID" : "SGID") + ", owner " + std::to_string(found.st_uid) + ":" +
                             std::to_string(found.st_gid) + (owner != nullptr ? "" : ", owned by no package"),
                    .sure = uid && (owner == nullptr || IsShell(path)) ? Sure::kCertain : Sure::kLikely,
                    .remedy = Remedy::kClearMode,
                    .sha256 = on_.tree.Sha256(path)});
  }

  void Capabilities(const std::string& path, const PackagedFile* owner) {
    char value[64];
    const ssize_t size = lgetxattr(on_.tree.On(path).c_str(), "security.capability", value, sizeof value);
    if (size <= 0 || (owner != nullptr && ShipsWithRights(path))) return;
    on_.report.Add({.kind = "capabilities",
                    .path = path,
                    .expected = "no file capabilities, or a program known to ship with them",
                    .found = "capabilities" + std::string(owner != nullptr ? "" : ", owned by no package"),
                    .sure = owner == nullptr || IsShell(path) ? Sure::kCertain : Sure::kLikely,
                    .remedy = Remedy::kClearMode,
                    .sha256 = on_.tree.Sha256(path)});
  }

  // A link where programs are looked for, to something that nobody brought.
  void Link(const std::string& path) {
    const std::string folder = path.substr(0, path.rfind('/'));
    if (folder != "/usr/bin" && folder != "/usr/sbin" && folder != "/bin" && folder != "/sbin") return;
    if (on_.records.Find(path) != nullptr) return;
    const auto real = on_.tree.Real(path);
    if (!real || on_.records.Find(*real) != nullptr || on_.golden.contains(*real)) return;
    on_.report.Add({.kind = "unowned_file",
                    .path = path,
                    .expected = "a package that owns it, or what it leads to",
                    .found = "a link to " + *real,
                    .remedy = Remedy::kRemoveFile,
                    .sha256 = on_.tree.Sha256(path)});
  }

  Examination& on_;
  uint64_t files_ = 0;
  bool over_ = false;
};

}  // namespace

void WalkTree(Examination& on) {
  const sdk::Fd root = on.tree.Open("/", O_PATH | O_DIRECTORY);
  struct stat self {};
  if (!root || fstat(root.get(), &self) != 0) sdk::ThrowErrno(errno, "open /");
  Walker walker(on);
  on.context.Progress(0.7, "all files");
  walker.Into("/", root.get(), ".", self.st_dev, 0);
  walker.Tell();
}

}  // namespace reprise::sanitize
