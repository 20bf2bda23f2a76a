#include "plugins/backup/holder/attachment.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace reprise::backup {
namespace {

constexpr unsigned long kFlags = MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC | MS_NOATIME;
constexpr const char* kProbe = ".reprise-write-probe";
constexpr int kLoopTries = 16;
constexpr int kBusyTries = 50;

[[noreturn]] void Fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

// So that a mount changes nothing: no journal is replayed, no log recovered.
std::string DataFor(const std::string& fstype) {
  if (fstype == "ext3" || fstype == "ext4") return "noload";
  if (fstype == "xfs") return "norecovery,nouuid";
  if (fstype == "btrfs") return "rescue=nologreplay";
  return "";
}

// Octal escapes of mountinfo: \040 is a space.
std::string Plain(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool Has(const std::string& options, const std::string& word) {
  return ("," + options + ",").find("," + word + ",") != std::string::npos;
}

bool MountAt(const std::string& target, MountLine& line) {
  return FindMount(sdk::ReadFile("/proc/self/mountinfo"), target, line);
}

}  // namespace

bool FindMount(const std::string& mountinfo, const std::string& target, MountLine& line) {
  std::istringstream lines(mountinfo);
  bool found = false;
  for (std::string text; std::getline(lines, text);) {
    std::istringstream words(text);
    std::string id, parent, point, word;
    MountLine one;
    if (!(words >> id >> parent >> one.major_minor >> one.root >> point >> one.options)) continue;
    while (words >> word && word != "-") {
    }
    if (!(words >> one.fstype >> one.source >> one.super_options) || Plain(point) != target) continue;
    one.source = Plain(one.source);
    line = one;  // The last one covers those before.
    found = true;
  }
  return found;
}

std::string FileSystemOf(const std::string& device) {
  const sdk::Fd fd(open(device.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) Fail("open " + device);
  const auto is = [&](off_t at, std::string_view magic) {
    std::string bytes(magic.size(), '\0');
    return pread(fd.get(), bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()) && bytes == magic;
  };
  if (is(0x438, "\x53\xef")) return "ext4";  // Its driver mounts ext2 and ext3 too.
  if (is(0, "XFSB")) return "xfs";
  if (is(0x10040, "_BHRfS_M")) return "btrfs";
  if (is(0, "hsqs")) return "squashfs";
  if (is(3, "NTFS    ")) return "ntfs3";
  if (is(0x8001, "CD001")) return "iso9660";
  if (is(82, "FAT32") || is(54, "FAT1")) return "vfat";
  return "";
}

Attachment::Attachment(Wanted wanted) : wanted_(std::move(wanted)) {
  struct stat about {};
  if (stat(wanted_.source.c_str(), &about) != 0) Fail(wanted_.source);
  kind_ = S_ISBLK(about.st_mode) ? Kind::kDevice : S_ISREG(about.st_mode) ? Kind::kImage : Kind::kFolder;
  if (kind_ == Kind::kFolder && !S_ISDIR(about.st_mode)) {
    throw std::runtime_error(wanted_.source + " is neither a block device nor a file nor a folder");
  }
  MakeTarget();
  // What an earlier holder left when it was killed goes first; only what is in use stays, and is held to the same proof.
  MountLine left;
  while (MountAt(wanted_.target, left)) {
    if (umount2(wanted_.target.c_str(), UMOUNT_NOFOLLOW) != 0) break;
  }
  if (MountAt(wanted_.target, left)) {
    if (kind_ != Kind::kFolder) device_ = left.source;
    if (Proof().at("readonly") != true) throw std::runtime_error(wanted_.target + " is in use, and not read-only");
    return;
  }
  if (kind_ == Kind::kFolder) {
    MountFolder();
    return;
  }
  if (kind_ == Kind::kImage) {
    AttachImage();
  } else {
    device_ = wanted_.source;
    SwitchReadOnly();
  }
  MountFileSystem();
}

void Attachment::MakeTarget() {
  std::error_code error;
  std::filesystem::create_directories(wanted_.target, error);
  struct stat about {};
  if (lstat(wanted_.target.c_str(), &about) != 0) Fail(wanted_.target);
  if (!S_ISDIR(about.st_mode)) throw std::runtime_error(wanted_.target + " is no folder: nothing can be mounted there");
}

void Attachment::AttachImage() {
  const sdk::Fd image(open(wanted_.source.c_str(), O_RDONLY | O_CLOEXEC));
  if (!image) Fail("open " + wanted_.source);
  const sdk::Fd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control) Fail("open /dev/loop-control");
  for (int tries = 0; tries < kLoopTries; ++tries) {
    const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) Fail("a free loop device");
    device_ = "/dev/loop" + std::to_string(number);
    loop_.Reset(open(device_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!loop_) Fail("open " + device_);
    loop_config config{};
    config.fd = static_cast<uint32_t>(image.get());
    config.info.lo_offset = wanted_.offset;
    // It goes with its last user, even if nobody is left to say so.
    config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    if (ioctl(loop_.get(), LOOP_CONFIGURE, &config) == 0) return;
    if (errno != EBUSY) Fail("attach " + wanted_.source + " to " + device_);  // Busy: somebody else was quicker.
  }
  Fail("a free loop device");
}

void Attachment::SwitchReadOnly() {
  const sdk::Fd device(open(device_.c_str(), O_RDONLY | O_CLOEXEC));
  int on = 1;
  if (!device || ioctl(device.get(), BLKROSET, &on) != 0) Fail("switch " + device_ + " to read-only");
}

void Attachment::MountFileSystem() {
  const std::string fstype = wanted_.fstype == "auto" ? FileSystemOf(device_) : wanted_.fstype;
  if (fstype.empty()) {
    throw std::runtime_error(wanted_.source + " has no file system that is known here (a partition table? give offset; LVM, LUKS, RAID: open it first)");
  }
  if (mount(device_.c_str(), wanted_.target.c_str(), fstype.c_str(), kFlags, DataFor(fstype).c_str()) != 0) {
    Fail("mount " + wanted_.source + " (" + fstype + ") at " + wanted_.target);
  }
}

void Attachment::MountFolder() {
  if (mount(wanted_.source.c_str(), wanted_.target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    Fail("bind " + wanted_.source + " to " + wanted_.target);
  }
  if (mount(nullptr, wanted_.target.c_str(), nullptr, MS_BIND | MS_REMOUNT | kFlags, nullptr) != 0) {
    const int number = errno;
    umount2(wanted_.target.c_str(), MNT_DETACH);
    errno = number;
    Fail("make " + wanted_.target + " read-only");
  }
}

nlohmann::json Attachment::Proof() const {
  nlohmann::json proof = {{"source", wanted_.source}, {"target", wanted_.target}, {"pid", getpid()},
                          {"kind", kind_ == Kind::kFolder ? "folder" : kind_ == Kind::kImage ? "image" : "device"}};
  MountLine line;
  const bool mounted = MountAt(wanted_.target, line);
  proof["mounted"] = mounted;
  proof["fstype"] = line.fstype;
  proof["mount_options"] = line.options;
  proof["super_options"] = line.super_options;
  proof["major_minor"] = line.major_minor;
  bool device_readonly = true;
  if (kind_ != Kind::kFolder) {
    proof["device"] = device_;
    const sdk::Fd device(open(device_.c_str(), O_RDONLY | O_CLOEXEC));
    int readonly = -1;
    if (!device || ioctl(device.get(), BLKROGET, &readonly) != 0) readonly = -1;
    proof["getro"] = readonly;
    device_readonly = readonly == 1 && Has(line.super_options, "ro");
  }
  // By doing it: only "read-only file system" counts, nothing else that may stand in the way.
  const std::string tried = wanted_.target + "/" + kProbe;
  std::string error = "it could be written";
  bool refused = false;
  if (mounted) {
    const sdk::Fd file(open(tried.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    refused = !file && errno == EROFS;
    if (!file) error = std::strerror(errno);
    if (file) unlink(tried.c_str());
  }
  proof["write"] = {{"tried", tried}, {"error", error}};
  bool options = true;
  for (const char* word : {"ro", "nodev", "nosuid", "noexec"}) options = options && Has(line.options, word);
  proof["readonly"] = mounted && refused && options && device_readonly;
  return proof;
}

std::string Attachment::Detach() {
  MountLine line;
  std::string busy;
  for (int tries = 0; MountAt(wanted_.target, line); ++tries) {
    if (umount2(wanted_.target.c_str(), UMOUNT_NOFOLLOW) == 0) continue;
    if (errno != EBUSY || tries >= kBusyTries) {
      busy = wanted_.target + ": " + std::strerror(errno);
      umount2(wanted_.target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  loop_.Reset();  // The kernel takes the loop device apart when nobody holds it any more.
  rmdir(wanted_.target.c_str());
  return busy;
}

}  // namespace reprise::backup
